import {
  type InfiniteData,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { useMemo } from "react";
import { call } from "@/api/call";
import type { QueryKey } from "@/api/keys";
import type { RequestPage, RequestRow } from "@/bindings";
import { type RangeSearch, resolveRange, type TimeSpan } from "@/lib/timeRange";
import { platform } from "@/platform";
import { hasGap, joinRows, type LiveHead, mergeHead, patchRows, unsettledBelow } from "./liveRows";
import { type LogFilter, toRequestFilter } from "./query";

const PAGE_ROWS = 100;
/** Pages that are read to close a gap before the list starts anew. */
const MOST_BRIDGES = 5;
/** Rows in flight below the newest page that are asked for one by one in one refresh. */
const MOST_UNSETTLED = 20;

export type Where = { filter: LogFilter; range: RangeSearch };

function rangeWords({ range }: Where): string[] {
  return [range.range ?? "all", range.from ?? "", range.to ?? ""];
}

const headKey = (where: Where): QueryKey => [
  "requests_page",
  "head",
  toRequestFilter(where.filter, {}),
  ...rangeWords(where),
];

const olderKey = (where: Where, cursor: string | null): QueryKey => [
  "requests_page",
  "older",
  toRequestFilter(where.filter, {}),
  ...rangeWords(where),
  cursor ?? "",
];

/** A relative range has no end, so that what comes in next belongs to it. */
export function spanOf(range: RangeSearch): TimeSpan {
  const span = resolveRange(range, "all", Date.now());
  if (range.range === "custom") return span;
  return span.from ? { from: span.from } : {};
}

function fetchPage({ filter, range }: Where, cursor: string | null): Promise<RequestPage> {
  return call(
    platform().commands.requestsPage(toRequestFilter(filter, spanOf(range)), cursor, PAGE_ROWS),
  );
}

/** The newest page put into what is known, closing gaps and following rows in flight. */
async function refreshHead(client: QueryClient, where: Where): Promise<LiveHead> {
  const known = client.getQueryData<LiveHead>(headKey(where));
  let page = await fetchPage(where, null);
  for (let bridges = 0; bridges < MOST_BRIDGES && hasGap(known, page); bridges += 1) {
    const older = await fetchPage(where, page.next);
    page = { rows: [...page.rows, ...older.rows], next: older.next };
  }
  const merged = mergeHead(known, page);
  const older = client.getQueryData<InfiniteData<RequestPage>>(olderKey(where, merged.next));
  const below = unsettledBelow(joinRows(merged, older?.pages ?? []), page, MOST_UNSETTLED);
  const details = await Promise.allSettled(
    below.map((id) => call(platform().commands.requestDetail(id))),
  );
  const fresh = details.flatMap((detail) =>
    detail.status === "fulfilled" ? [detail.value.row] : [],
  );
  return patchRows(merged, fresh);
}

/** The rows of the log under a filter: growing at the top by events, at the bottom by scrolling. */
export function useLiveRequests(where: Where) {
  const head = useQuery({
    queryKey: headKey(where),
    queryFn: ({ client }) => refreshHead(client, where),
    // Rows keep their identity by the merge; comparing thousands of them deeply would cost more than it saves.
    structuralSharing: false,
  });
  const cursor = head.data?.next ?? null;
  const older = useInfiniteQuery({
    queryKey: olderKey(where, cursor),
    queryFn: ({ pageParam }) => fetchPage(where, pageParam),
    initialPageParam: cursor,
    getNextPageParam: (page: RequestPage) => page.next,
    // Read only once somebody scrolls there.
    enabled: false,
  });
  const rows: RequestRow[] = useMemo(
    () => joinRows(head.data, older.data?.pages ?? []),
    [head.data, older.data],
  );
  const untouched = older.data === undefined;
  const hasMore = untouched ? cursor !== null : older.hasNextPage;
  return {
    rows,
    isPending: head.isPending,
    error: head.error ?? older.error,
    refetch: () => void head.refetch(),
    hasMore,
    isFetchingMore: older.isFetching,
    fetchMore: () => {
      if (!hasMore || older.isFetching) return;
      void (untouched ? older.refetch() : older.fetchNextPage());
    },
  };
}
