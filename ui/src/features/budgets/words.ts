import type { Budget, BudgetScopeKind, ForecastBasis } from "@/bindings";

const BASES: Record<ForecastBasis, string> = {
  pace: "from a few hours only, so it may be far off",
  daily: "from the same hours of the days before",
  weekly: "from the same hours of the last four weeks",
  periods: "from what its periods before came to",
};

export function basisWords(basis: ForecastBasis): string {
  return BASES[basis];
}

/** Scopes by which spend is not summed; a budget of one knows only its own periods. */
const UNSUMMED: Partial<Record<BudgetScopeKind, string>> = { key: "an API key", tag: "a label" };

/** Why nothing is foretold of a budget whose period ends. */
export function noForecastWords({ scope, period }: Pick<Budget, "scope" | "period">): string {
  const whose = UNSUMMED[scope.kind];
  return whose === undefined
    ? "Too little history yet for a forecast: it needs three hours."
    : `The spend of ${whose} is not summed by the hour, so a forecast needs three whole ${period}s of this budget.`;
}

/** Where the history of a budget comes from when spend is not summed by its scope. */
export function periodsWords({ scope }: Pick<Budget, "scope">): string {
  return `The spend of ${UNSUMMED[scope.kind] ?? "this"} is not summed by the day: this is what the budget itself counted. Periods without a request are left out.`;
}
