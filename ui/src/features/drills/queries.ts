import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { DrillInput } from "@/bindings";
import { platform } from "@/platform";

/** The drill that runs, or the last one. Its own requests and its end make it stale. */
export function drillQueryOptions() {
  return queryOptions({
    queryKey: ["drill_state"] as const,
    queryFn: () => call(platform().commands.drillState()),
  });
}

/** How many failovers are shown while a drill runs. */
const RECENT = 8;

/** The newest failovers away from the model that goes wrong. */
export function drillFailoversQueryOptions({ model, operation }: DrillInput, simulator: string) {
  const filter = { operation, provider: simulator, model };
  return queryOptions({
    queryKey: ["failovers_page", "recent", filter] as const,
    queryFn: () => call(platform().commands.failoversPage(filter, null, RECENT)),
  });
}
