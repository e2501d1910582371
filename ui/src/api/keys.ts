import type {
  ApprovalList,
  AlertFilter,
  CacheTag,
  ChangeFilter,
  DeliveryFilter,
  FailoverFilter,
  GroupBy,
  PriceFilter,
  RequestFilter,
  SpendHistoryQuery,
} from "@/bindings";
import type { RangeSearch } from "@/lib/timeRange";

/** Every query key: the command first, then what it was asked. Components never write one. */
export type QueryKey =
  | readonly ["status"]
  | readonly ["overview", RangeSearch, GroupBy]
  | readonly ["requests_page", "head" | "older" | "recent", RequestFilter, ...string[]]
  | readonly ["request_facets"]
  | readonly ["request_detail", string]
  | readonly ["operations_list"]
  | readonly ["target_options"]
  | readonly ["route_preview", string]
  | readonly ["route_simulate", string]
  | readonly ["providers_list"]
  | readonly ["provider_presets"]
  | readonly ["provider_health"]
  | readonly ["failovers_page", "head" | "older" | "recent", FailoverFilter, ...string[]]
  | readonly ["drill_state"]
  | readonly ["prices_page", PriceFilter]
  | readonly ["price_history", string]
  | readonly ["price_preview", string]
  | readonly ["prices_unpriced"]
  | readonly ["budgets_list"]
  | readonly ["budget_members", string]
  | readonly ["budget_show", string, string]
  | readonly ["budget_preview", string]
  | readonly ["budget_refusal", string]
  | readonly ["spend_history", SpendHistoryQuery]
  | readonly ["keys_list"]
  | readonly ["settings_list"]
  | readonly ["toggles_list"]
  | readonly ["changes_page", "head" | "older", ChangeFilter, ...string[]]
  | readonly ["change_verify"]
  | readonly ["changes_count", ChangeFilter, ...string[]]
  | readonly ["change_revert_preview", number]
  | readonly ["state_at", string]
  | readonly ["people_list"]
  | readonly ["desktop_show"]
  | readonly ["approvals_page", "head" | "older", ApprovalList, ...string[]]
  | readonly ["approval_show", string]
  | readonly ["alerts_page", "head" | "older", AlertFilter, ...string[]]
  | readonly ["alerts_open"]
  | readonly ["alert_rules_list"]
  | readonly ["channels_list"]
  | readonly ["deliveries_page", "head" | "older", DeliveryFilter, ...string[]];

export type QueryCommand = QueryKey[0];

/** What each answer is made of; a query is refetched when one of its tags changes. */
export const PROVIDED_TAGS: Record<QueryCommand, readonly CacheTag[]> = {
  status: ["status", "requests", "providers", "keys", "toggles", "approvals", "budgets"],
  overview: ["requests"],
  requests_page: ["requests"],
  request_facets: ["requests"],
  request_detail: ["requests"],
  operations_list: ["operations", "providers", "requests"],
  target_options: ["providers", "operations", "health", "prices"],
  route_preview: [],
  route_simulate: ["providers", "health"],
  providers_list: ["providers", "requests", "prices"],
  provider_presets: [],
  provider_health: ["health", "providers", "requests"],
  failovers_page: ["requests"],
  drill_state: ["health", "providers", "requests"],
  prices_page: ["prices", "providers", "operations"],
  price_history: ["prices"],
  price_preview: [],
  prices_unpriced: ["prices", "requests"],
  budgets_list: ["budgets", "requests", "keys"],
  budget_members: ["budgets", "requests"],
  budget_show: ["budgets", "requests"],
  budget_preview: [],
  budget_refusal: [],
  spend_history: ["requests"],
  keys_list: ["keys", "requests"],
  // There is no tag of their own; each change of one is an entry of the history.
  settings_list: ["changes"],
  toggles_list: ["toggles"],
  changes_page: ["changes"],
  change_verify: [],
  changes_count: ["changes"],
  change_revert_preview: ["changes"],
  state_at: ["changes"],
  people_list: ["people"],
  // What this machine offers: read when the screen is opened.
  desktop_show: [],
  approvals_page: ["approvals"],
  approval_show: ["approvals"],
  alerts_page: ["alerts"],
  alerts_open: ["alerts"],
  alert_rules_list: ["alerts"],
  channels_list: ["alerts"],
  deliveries_page: ["alerts"],
};
