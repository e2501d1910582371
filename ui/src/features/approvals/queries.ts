import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { PAGE_ROWS } from "@/api/keyset";
import { platform } from "@/platform";

/** The queue: what is riskiest and has waited longest first. */
export const QUEUE = "pending";
/** What no longer waits, newest first. */
export const DECIDED = "decided";
type List = typeof QUEUE | typeof DECIDED;

export function headKey(list: List) {
  return ["approvals_page", "head", list] as const;
}

export function olderKey(list: List, cursor: string) {
  return ["approvals_page", "older", list, cursor] as const;
}

export function fetchApprovals(list: List, cursor: string | null) {
  return call(platform().commands.approvalsPage(list, cursor, PAGE_ROWS));
}

export function approvalQueryOptions(id: string) {
  return queryOptions({
    queryKey: ["approval_show", id] as const,
    queryFn: () => call(platform().commands.approvalShow(id)),
  });
}
