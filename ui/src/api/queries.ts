import { queryOptions } from "@tanstack/react-query";
import { platform } from "@/platform";
import { call } from "./call";

/** The queries that more than one room of the window asks. A feature's own stay in its `queries.ts`. */
export function statusQueryOptions() {
  return queryOptions({
    queryKey: ["status"],
    queryFn: () => call(platform().commands.status()),
    // Midnight moves "today" without any event; this also tells a stopped backend from a quiet one.
    refetchInterval: 30_000,
  });
}

export function facetsQueryOptions() {
  return queryOptions({
    queryKey: ["request_facets"],
    queryFn: () => call(platform().commands.requestFacets()),
  });
}

export function operationsQueryOptions() {
  return queryOptions({
    queryKey: ["operations_list"],
    queryFn: () => call(platform().commands.operationsList()),
  });
}

export function targetOptionsQueryOptions() {
  return queryOptions({
    queryKey: ["target_options"],
    queryFn: () => call(platform().commands.targetOptions()),
  });
}

export function providersQueryOptions() {
  return queryOptions({
    queryKey: ["providers_list"],
    queryFn: () => call(platform().commands.providersList()),
  });
}

export function providerPresetsQueryOptions() {
  return queryOptions({
    queryKey: ["provider_presets"],
    queryFn: () => call(platform().commands.providerPresets()),
  });
}

export function providerHealthQueryOptions() {
  return queryOptions({
    queryKey: ["provider_health"],
    queryFn: () => call(platform().commands.providerHealth()),
  });
}

export function keysQueryOptions() {
  return queryOptions({
    queryKey: ["keys_list"],
    queryFn: () => call(platform().commands.keysList()),
  });
}

export function openAlertsQueryOptions() {
  return queryOptions({
    queryKey: ["alerts_open"],
    queryFn: () => call(platform().commands.alertsOpen()),
  });
}

export function alertRulesQueryOptions() {
  return queryOptions({
    queryKey: ["alert_rules_list"],
    queryFn: () => call(platform().commands.alertRulesList()),
  });
}

export function budgetsQueryOptions() {
  return queryOptions({
    queryKey: ["budgets_list"],
    queryFn: () => call(platform().commands.budgetsList()),
  });
}

export function unpricedQueryOptions() {
  return queryOptions({
    queryKey: ["prices_unpriced"] as const,
    queryFn: () => call(platform().commands.pricesUnpriced()),
  });
}
