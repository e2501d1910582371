import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { RouteDraft } from "@/bindings";
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
