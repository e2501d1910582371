import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { QueryKey } from "./keys";

/** How the backend hands out long lists: newest first, `next` asks for what is older. */
export type KeysetPage<Row> = { rows: Row[]; next: string | null };

/** Rows per page: a screenful and a half, so that one fetch fills the window. */
export const PAGE_ROWS = 100;

type Options<Row, Page extends KeysetPage<Row>> = {
  /** The key of the newest page, e.g. `["requests_page", "head", filter]`. */
  headKey: QueryKey;
  /** The key of the pages after `cursor`, e.g. `["requests_page", "older", filter, cursor]`. */
  olderKey: (cursor: string) => QueryKey;
  fetchPage: (cursor: string | null) => Promise<Page>;
  rowId: (row: Row) => string;
  /** False holds the list still (somebody is reading further down) and counts what is new instead. */
  live?: boolean;
};

/**
 * A list that grows at both ends: its newest page is refreshed by tags, older pages are read once as they are scrolled to.
 * When more has come in than one page holds, the older part is dropped rather than shown with a hole.
 */
export function useKeysetList<Row, Page extends KeysetPage<Row>>(options: Options<Row, Page>) {
  const { headKey, olderKey, fetchPage, rowId, live = true } = options;
  const head = useQuery({ queryKey: headKey, queryFn: () => fetchPage(null) });

  // What the older pages hang on: the newest page as it was when the first older one was asked for.
  const listId = JSON.stringify(headKey);
  const [anchor, setAnchor] = useState<{ listId: string; page: Page } | undefined>(undefined);
  const anchored = anchor?.listId === listId ? anchor.page : undefined;
  const cursor = anchored?.next ?? null;
  const older = useInfiniteQuery({
    queryKey: olderKey(cursor ?? ""),
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: cursor,
    getNextPageParam: (page: Page) => page.next ?? undefined,
    enabled: cursor !== null,
  });

  const [held, setHeld] = useState<{ listId: string; page: Page } | undefined>(undefined);
  const heldPage = held?.listId === listId ? held.page : undefined;
  const headPage = live || !heldPage ? head.data : heldPage;
  if (head.data && (live || !heldPage) && heldPage !== head.data) {
    setHeld({ listId, page: head.data });
  }

  const list = useMemo(() => {
    if (!headPage) return { rows: [] as Row[], gap: false };
    const tail = anchored
      ? [anchored.rows, ...(older.data?.pages ?? []).map((page) => page.rows)].flat()
      : [];
    return mergeHead(headPage.rows, tail, rowId);
  }, [headPage, anchored, older.data, rowId]);
  if (list.gap && anchor) setAnchor(undefined);

  const newCount = useMemo(() => {
    if (!head.data || !headPage || head.data === headPage) return 0;
    const known = new Set(headPage.rows.map(rowId));
    return head.data.rows.filter((row) => !known.has(rowId(row))).length;
  }, [head.data, headPage, rowId]);

  const hasMore = anchored
    ? anchored.next !== null && (older.hasNextPage || older.isPending)
    : (headPage?.next ?? null) !== null;
  const fetchMore = () => {
    if (!headPage) return;
    if (!anchored) {
      if (headPage.next !== null) setAnchor({ listId, page: headPage });
    } else if (older.hasNextPage && !older.isFetchingNextPage) {
      void older.fetchNextPage();
    }
  };

  return {
    rows: list.rows,
    /** The newest page as answered, for what it carries besides rows. */
    head: head.data,
    isPending: head.isPending,
    error: head.error ?? older.error,
    refetch: () => void head.refetch(),
    hasMore,
    fetchMore,
    isFetchingMore: older.isFetching,
    /** Rows that arrived while `live` was false. At most one page is counted. */
    newCount,
  };
}

/** The newest rows put before the older ones, each row once; `gap` when the two no longer touch. */
export function mergeHead<Row>(
  head: readonly Row[],
  tail: readonly Row[],
  rowId: (row: Row) => string,
): { rows: Row[]; gap: boolean } {
  if (tail.length === 0) return { rows: [...head], gap: false };
  const last = head.at(-1);
  if (last === undefined) return { rows: [...head], gap: true };
  const seam = tail.findIndex((row) => rowId(row) === rowId(last));
  if (seam < 0) return { rows: [...head], gap: true };
  return { rows: [...head, ...tail.slice(seam + 1)], gap: false };
}
