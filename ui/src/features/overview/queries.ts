import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { GroupBy } from "@/bindings";
import { type RangeSearch, resolveRange } from "@/lib/timeRange";
import { platform } from "@/platform";

/** What the overview looks at when the address does not say. */
export const DEFAULT_RANGE = "24h";

/** Figures and series of a range. A relative range is resolved anew on each reading, so the window moves along. */
export function overviewQueryOptions(range: RangeSearch, groupBy: GroupBy) {
  return queryOptions({
    queryKey: ["overview", range, groupBy],
    queryFn: () => {
      const nowMs = Date.now();
      const span = resolveRange(range, DEFAULT_RANGE, nowMs);
      return call(
        platform().commands.overview({
          from: span.from ?? new Date(0).toISOString(),
          to: span.to ?? new Date(nowMs).toISOString(),
          group_by: groupBy,
          bucket: null,
        }),
      );
    },
    placeholderData: keepPreviousData,
    // The range ends now, and now moves on without any event.
    refetchInterval: 60_000,
  });
}
