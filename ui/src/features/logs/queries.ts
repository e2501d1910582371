import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { platform } from "@/platform";

export function requestDetailQueryOptions(id: string) {
  return queryOptions({
    queryKey: ["request_detail", id],
    queryFn: () => call(platform().commands.requestDetail(id)),
  });
}

export function budgetRefusalQueryOptions(id: string) {
  return queryOptions({
    queryKey: ["budget_refusal", id],
    queryFn: () => call(platform().commands.budgetRefusal(id)),
  });
}
