import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { BudgetDraft, SpendHistoryQuery } from "@/bindings";
import { platform } from "@/platform";

export function budgetMembersQueryOptions(id: string) {
  return queryOptions({
    queryKey: ["budget_members", id] as const,
    queryFn: () => call(platform().commands.budgetMembers(id)),
  });
}

export function budgetQueryOptions(id: string, member: string) {
  return queryOptions({
    queryKey: ["budget_show", id, member] as const,
    queryFn: () => call(platform().commands.budgetShow(id, member)),
  });
}

/** What a draft would do. Asked anew for every state of the form, and not kept. */
export function budgetPreviewQueryOptions(draft: BudgetDraft) {
  return queryOptions({
    queryKey: ["budget_preview", JSON.stringify(draft)] as const,
    queryFn: () => call(platform().commands.budgetPreview(draft)),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
}

export function spendHistoryQueryOptions(query: SpendHistoryQuery) {
  return queryOptions({
    queryKey: ["spend_history", query] as const,
    queryFn: () => call(platform().commands.spendHistory(query)),
    placeholderData: keepPreviousData,
  });
}
