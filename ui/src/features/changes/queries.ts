import { queryOptions } from "@tanstack/react-query";
import { call, CommandError } from "@/api/call";
import type { QueryKey } from "@/api/keys";
import { PAGE_ROWS } from "@/api/keyset";
import type { Change, ChangeFilter, ChangePage } from "@/bindings";
import { platform } from "@/platform";

/** Rows per step while an entry far down is looked for; the most the backend hands out. */
const WALK_ROWS = 500;

export function headKey(filter: ChangeFilter): QueryKey {
  return ["changes_page", "head", filter];
}

export function olderKey(filter: ChangeFilter, cursor: string): QueryKey {
  return ["changes_page", "older", filter, cursor];
}

export function fetchChanges(filter: ChangeFilter, cursor: string | null): Promise<ChangePage> {
  return call(platform().commands.changesPage(filter, cursor, PAGE_ROWS));
}

/** The newest page of everything: who and what there is to filter by. */
export function newestChangesQueryOptions() {
  return queryOptions({ queryKey: headKey({}), queryFn: () => fetchChanges({}, null) });
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
