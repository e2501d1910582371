import type {
  Budget,
  BudgetForecast,
  BudgetGlance,
  BudgetLimits,
  BudgetPeriod,
  BudgetPurse,
} from "@/bindings";
import {
  compareNano,
  formatMoneyExact,
  formatMoneyTotal,
  parseNano,
  shareOf,
  sumNano,
} from "./money";
import { formatCount } from "./numbers";

/** From here on a budget wants to be looked at. */
export const NEAR_PERMILLE = 800;
const WHOLE_PERMILLE = 1_000;

export type Tone = "calm" | "near" | "over";

export function toneOf(permille: number): Tone {
  return permille >= WHOLE_PERMILLE ? "over" : permille >= NEAR_PERMILLE ? "near" : "calm";
}

/** The bar of a budget at a glance, what is left of it, and both in words. */
export function barShares({ name, limit, settled, reserved, used_permille, stops }: BudgetGlance) {
  const used = sumNano([settled, reserved]);
  const width = compareNano(used, limit) > 0 ? used : limit;
  const left = compareNano(limit, used) > 0 ? sumNano([limit, `-${used}`]) : "0";
  return {
    settled: shareOf(settled, width),
    used: shareOf(used, width),
    limit: shareOf(limit, width),
    tone: toneOf(used_permille),
    left,
    label: `${name}: ${formatMoneyExact(left)} left of ${formatMoneyExact(limit)}, ${formatMoneyExact(reserved)} reserved${stops ? "" : ". Notify only"}`,
  };
}

export const PERIODS: readonly { value: BudgetPeriod; label: string; per: string }[] = [
  { value: "day", label: "Day", per: "per day" },
  { value: "week", label: "Week", per: "per week" },
  { value: "month", label: "Month", per: "per month" },
  { value: "total", label: "For ever", per: "in total" },
];

export function periodWords(period: BudgetPeriod): string {
  return PERIODS.find(({ value }) => value === period)?.per ?? period;
}

/** Where the parts of a bar end, as shares of its width. */
export type Bar = {
  settled: number;
  /** Settled and reserved together. */
  used: number;
  /** Where the limit is: 1 unless more is used. */
  limit: number;
  /** Where the forecast is; 1 when it is beyond the bar. */
  forecast: number | undefined;
  tone: Tone;
};

/** `used_permille` speaks for limits of tokens or requests, which have no amounts to draw. */
export function barOf(purse: BudgetPurse, limit: string | null | undefined): Bar {
  const tone = toneOf(purse.used_permille);
  if (limit === null || limit === undefined || parseNano(limit) <= 0n) {
    const used = Math.min(purse.used_permille / 1000, 1);
    return { settled: used, used, limit: 1, forecast: undefined, tone };
  }
  const settled = max(parseNano(purse.settled), 0n);
  const used = settled + max(parseNano(purse.reserved), 0n);
  const width = max(parseNano(limit), used).toString();
  return {
    settled: shareOf(settled.toString(), width),
    used: shareOf(used.toString(), width),
    limit: shareOf(limit, width),
    forecast: purse.forecast ? Math.min(shareOf(purse.forecast.expected, width), 1) : undefined,
    tone,
  };
}

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

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
