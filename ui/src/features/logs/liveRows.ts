import type { RequestPage, RequestRow } from "@/bindings";

/**
 * The newest part of a keyset-paged list, kept live without reading it again: only the newest page is asked for, and
 * merged by id. Rows are newest first everywhere.
 */
export type LiveHead = {
  rows: RequestRow[];
  /** Where the older pages begin. It stays the same while new rows come in, so those pages need not be read again. */
  next: string | null;
  /** Newer states of rows that were in flight when their older page was read. */
  patches: Readonly<Record<string, RequestRow>>;
};

/** Beyond this the head starts anew from the newest page: a window left open all night must not keep every row. */
const MOST_ROWS = 20_000;

/** True when the newest page does not reach the known rows: more came in than one page holds. */
export function hasGap(known: LiveHead | undefined, page: RequestPage): boolean {
  if (!known || known.rows.length === 0 || page.next === null) return false;
  const ids = new Set(known.rows.map((row) => row.id));
  return !page.rows.some((row) => ids.has(row.id));
}

/**
 * Puts a fresh newest page into the known rows: those it contains are updated in place, new ones go in front, and those it
 * should contain but does not (they no longer match the filter) go away. With a gap, or too many rows, the page alone stays.
 */
export function mergeHead(known: LiveHead | undefined, page: RequestPage): LiveHead {
  const oldest = page.rows.at(-1);
  const fresh = { rows: page.rows, next: page.next, patches: {} };
  if (!known || !oldest || page.next === null || hasGap(known, page)) return fresh;
  if (known.rows.length === 0 || known.rows.length > MOST_ROWS) return fresh;
  const inPage = new Set(page.rows.map((row) => row.id));
  const older = known.rows.filter((row) => !inPage.has(row.id) && isOlder(row, oldest));
  return { rows: [...page.rows, ...older], next: known.next, patches: known.patches };
}

/** Ids are time-ordered, so they break ties between rows of one instant. */
function isOlder(row: RequestRow, than: RequestRow): boolean {
  return row.started_at === than.started_at ? row.id < than.id : row.started_at < than.started_at;
}

/** Ids of rows that may have finished below what the newest page shows, newest first. */
export function unsettledBelow(
  rows: readonly RequestRow[],
  page: RequestPage,
  limit: number,
): string[] {
  const inPage = new Set(page.rows.map((row) => row.id));
  return rows
    .filter((row) => row.status === "in_flight" && !inPage.has(row.id))
    .slice(0, limit)
    .map((row) => row.id);
}

/** Brings rows up to date that lie below the newest page, wherever they were read. */
export function patchRows(head: LiveHead, fresh: readonly RequestRow[]): LiveHead {
  if (fresh.length === 0) return head;
  const patches = { ...head.patches, ...Object.fromEntries(fresh.map((row) => [row.id, row])) };
  return { ...head, rows: head.rows.map((row) => patches[row.id] ?? row), patches };
}

/** The whole list as far as it is known. */
export function joinRows(head: LiveHead | undefined, older: readonly RequestPage[]): RequestRow[] {
  if (!head) return [];
  if (older.length === 0) return head.rows;
  const below = older.flatMap((page) => page.rows.map((row) => head.patches[row.id] ?? row));
  return [...head.rows, ...below];
}

/** What is shown while the list is held still at `anchor`, and how many rows wait above it. */
export function holdAt(
  rows: RequestRow[],
  anchor: string | undefined,
): { rows: RequestRow[]; waiting: number } {
  const at = anchor === undefined ? 0 : rows.findIndex((row) => row.id === anchor);
  return at <= 0 ? { rows, waiting: 0 } : { rows: rows.slice(at), waiting: at };
}
