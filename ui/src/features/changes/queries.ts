import { queryOptions } from "@tanstack/react-query";
import { call, CommandError } from "@/api/call";
import type { QueryKey } from "@/api/keys";
import { PAGE_ROWS } from "@/api/keyset";
import type { Change, ChangePage } from "@/bindings";
import { platform } from "@/platform";
import { filterAt, type Where } from "./model";

/** Rows per step while an entry far down is looked for; the most the backend hands out. */
const WALK_ROWS = 500;

/** Everything, of all times. */
const EVERYTHING: Where = { filter: {}, range: {} };

/** Relative ranges go into a key as they are chosen: their edges move with the clock. */
function rangeWords({ range }: Where): string[] {
  return range.range === undefined ? [] : [range.range, range.from ?? "", range.to ?? ""];
}

export function headKey(where: Where): QueryKey {
  return ["changes_page", "head", where.filter, ...rangeWords(where)];
}

export function olderKey(where: Where, cursor: string): QueryKey {
  return ["changes_page", "older", where.filter, ...rangeWords(where), cursor];
}

export function fetchChanges(where: Where, cursor: string | null): Promise<ChangePage> {
  return call(platform().commands.changesPage(filterAt(where, Date.now()), cursor, PAGE_ROWS));
}

/** The newest page of everything: who and what there is to filter by. */
export function newestChangesQueryOptions() {
  return queryOptions({
    queryKey: headKey(EVERYTHING),
    queryFn: () => fetchChanges(EVERYTHING, null),
  });
}

/** One entry by its number, for a link to something older than what the list has read. Entries never change. */
export function changeQueryOptions(seq: number) {
  return queryOptions({
    queryKey: ["changes_page", "older", {}, "entry", String(seq)] as const,
    queryFn: () => findChange(seq),
  });
}

/** Asked only on a person's click: each page of the list brings a report of its own. */
export function verifyChainQueryOptions() {
  return queryOptions({
    queryKey: ["change_verify"] as const,
    queryFn: () => call(platform().commands.changeVerify()),
    enabled: false,
  });
}

/** How many changes an export would write. */
export function changesCountQueryOptions(where: Where) {
  return queryOptions({
    queryKey: ["changes_count", where.filter, ...rangeWords(where)] as const,
    queryFn: () => call(platform().commands.changesCount(filterAt(where, Date.now()))),
  });
}

/** What a revert would write. */
export function revertPreviewQueryOptions(seq: number) {
  return queryOptions({
    queryKey: ["change_revert_preview", seq] as const,
    queryFn: () => call(platform().commands.changeRevertPreview(seq)),
  });
}

/** The configuration as it was at an instant, or as it is `now`. */
export function stateAtQueryOptions(at: string) {
  return queryOptions({
    queryKey: ["state_at", at] as const,
    queryFn: () => call(platform().commands.stateAt(at === "now" ? new Date().toISOString() : at)),
  });
}

async function findChange(seq: number): Promise<Change> {
  let cursor: string | null = null;
  do {
    const page: ChangePage = await call(platform().commands.changesPage({}, cursor, WALK_ROWS));
    const found = page.rows.find((row) => row.seq === seq);
    if (found) return found;
    const last = page.rows.at(-1);
    cursor = last === undefined || last.seq < seq ? null : page.next;
  } while (cursor !== null);
  throw new CommandError({
    code: "not_found",
    message: `The history has no entry ${seq}.`,
    details: [],
  });
}
