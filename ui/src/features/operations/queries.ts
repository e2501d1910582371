import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { RouteDraft, SimulationInput } from "@/bindings";
import { platform } from "@/platform";

/** What a draft would change. It is asked anew for every state of the draft, and not kept. */
export function routePreviewQueryOptions(draft: RouteDraft) {
  return queryOptions({
    queryKey: ["route_preview", JSON.stringify(draft)] as const,
    queryFn: () => call(platform().commands.routePreview(draft)),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
}

/** Where a request would go by a draft. Asked anew for every state of both, and not kept. */
export function routeSimulateQueryOptions(input: SimulationInput) {
  return queryOptions({
    queryKey: ["route_simulate", JSON.stringify(input)] as const,
    queryFn: () => call(platform().commands.routeSimulate(input)),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
}

/** How many requests the dry run offers. */
const RECENT = 30;

/** The last requests of an operation, to be sent through a draft. */
export function recentRequestsQueryOptions(operation: string) {
  const filter = { operation };
  return queryOptions({
    queryKey: ["requests_page", "recent", filter] as const,
    queryFn: () => call(platform().commands.requestsPage(filter, null, RECENT)),
  });
}
