import type { Budget, BudgetForecast, BudgetLimits, BudgetPurse, ForecastBasis } from "@/bindings";
import { formatMoneyExact, formatMoneyTotal } from "@/lib/money";
import { formatCount } from "@/lib/numbers";

/** `$50.00 · 2,000,000 tokens`, or what it is limited by. */
export function limitWords(limits: BudgetLimits): string {
  return [
    limits.cost ? formatMoneyTotal(limits.cost) : undefined,
    limits.tokens ? `${formatCount(limits.tokens)} tokens` : undefined,
    limits.requests ? `${formatCount(limits.requests)} requests` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

/** How a purse stands, exactly; the bar's own words. */
export function purseWords(budget: Budget, purse: BudgetPurse): string {
  const { limits } = budget;
  const lines = [
    `Settled ${formatMoneyExact(purse.settled)}`,
    `Reserved ${formatMoneyExact(purse.reserved)}`,
    limits.cost
      ? `Left ${formatMoneyExact(purse.left ?? "0")} of ${formatMoneyExact(limits.cost)}`
      : undefined,
    limits.tokens
      ? `${formatCount(purse.tokens)} of ${formatCount(limits.tokens)} tokens`
      : undefined,
    limits.requests
      ? `${formatCount(purse.requests)} of ${formatCount(limits.requests)} requests`
      : undefined,
    purse.forecast ? forecastWords(purse.forecast) : undefined,
  ];
  return lines.filter((line) => line !== undefined).join("\n");
}

export function forecastWords(forecast: BudgetForecast): string {
  return `Expected at the end ${formatMoneyExact(forecast.expected)}, in four of five cases between ${formatMoneyExact(forecast.low)} and ${formatMoneyExact(forecast.high)}`;
}

const BASES: Record<ForecastBasis, string> = {
  pace: "from a few hours only, so it may be far off",
  daily: "from the same hours of the days before",
  weekly: "from the same hours of the last four weeks",
};

export function basisWords(basis: ForecastBasis): string {
  return BASES[basis];
}
