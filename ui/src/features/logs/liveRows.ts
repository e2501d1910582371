/**
 * Keeps a long, keyset-paged list live without reading it again: only its newest page is asked for, and merged by id.
 * Rows are newest first everywhere.
 */

import type { RequestPage, RequestRow } from "@/bindings";

export interface Merge {
  pages: RequestPage[];
  /** True when so many rows are new that the newest page does not reach the known ones. */
  gap: boolean;
}

/**
 * Puts a fresh newest page into the known pages. Known rows are updated in place, new ones go in front, and rows that the
 * fresh page should contain but does not (they no longer match the filter) go away.
 */
export function mergeHead(known: readonly RequestPage[], head: RequestPage): Merge {
  const [first, ...rest] = known;
  const oldest = head.rows.at(-1);
  if (!first || known.every((page) => page.rows.length === 0) || head.next === null || !oldest) {
    return { pages: [head], gap: false };
  }
  const knownIds = new Set(known.flatMap((page) => page.rows.map((row) => row.id)));
  if (!head.rows.some((row) => knownIds.has(row.id))) {
    return { pages: [...known], gap: true };
  }
  const inHead = new Set(head.rows.map((row) => row.id));
  const older = (row: RequestRow) => !inHead.has(row.id) && isOlder(row, oldest);
  return {
    pages: [
      { ...first, rows: [...head.rows, ...first.rows.filter(older)] },
      ...rest.map((page) =>
        page.rows.every(older) ? page : { ...page, rows: page.rows.filter(older) },
      ),
    ],
    gap: false,
  };
}

/** Ids are time-ordered, so they break ties between rows of one instant. */
function isOlder(row: RequestRow, than: RequestRow): boolean {
  return row.started_at === than.started_at ? row.id < than.id : row.started_at < than.started_at;
}

/** Replaces rows by id and leaves everything else as it is. */
export function updateRows(
  known: readonly RequestPage[],
  fresh: readonly RequestRow[],
): RequestPage[] {
  const byId = new Map(fresh.map((row) => [row.id, row]));
  return known.map((page) =>
    page.rows.some((row) => byId.has(row.id))
      ? { ...page, rows: page.rows.map((row) => byId.get(row.id) ?? row) }
      : page,
  );
}

/** Rows in flight that a newest page can no longer show, newest first. */
export function unsettledBelow(
  known: readonly RequestPage[],
  head: RequestPage,
  limit: number,
): string[] {
  const inHead = new Set(head.rows.map((row) => row.id));
  return known
    .flatMap((page) => page.rows)
    .filter((row) => row.status === "in_flight" && !inHead.has(row.id))
    .slice(0, limit)
    .map((row) => row.id);
}

/** What is shown while the list is held still at `anchor`, and how many rows wait above it. */
export function holdAt(
  rows: readonly RequestRow[],
  anchor: string | undefined,
): { rows: readonly RequestRow[]; waiting: number } {
  const at = anchor === undefined ? 0 : rows.findIndex((row) => row.id === anchor);
  return at <= 0 ? { rows, waiting: 0 } : { rows: rows.slice(at), waiting: at };
}
