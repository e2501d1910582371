import { call } from "@/api/call";
import type { QueryKey } from "@/api/keys";
import { PAGE_ROWS } from "@/api/keyset";
import type { FailoverFilter, FailoverPage } from "@/bindings";
import { platform } from "@/platform";

export function failoversHeadKey(filter: FailoverFilter): QueryKey {
  return ["failovers_page", "head", filter];
}

export function failoversOlderKey(filter: FailoverFilter, cursor: string): QueryKey {
  return ["failovers_page", "older", filter, cursor];
}

export function fetchFailovers(
  filter: FailoverFilter,
  cursor: string | null,
): Promise<FailoverPage> {
  return call(platform().commands.failoversPage(filter, cursor, PAGE_ROWS));
}
