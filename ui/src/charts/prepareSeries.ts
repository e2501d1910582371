import type { GroupSeries } from "@/bindings";
import { parseNano, toPlotNumber } from "@/lib/money";
import { assignSlots, OTHER, SERIES_COLOURS } from "./colours";

/** What a stack is made of. */
export type Metric = "spend" | "requests";

/** What is charted: groups with a value per bucket. */
export type SeriesSource = {
  buckets: readonly string[];
  groups: readonly Pick<GroupSeries, "key" | "spend" | "requests">[];
};

export type PreparedSeries = {
  key: string;
  label: string;
  /** Colour slot 1..6; 0 is the rest. */
  slot: number;
  /** Exact values per bucket: nano-dollars or counts, as decimal strings. */
  exact: string[];
  /** The same for pixels. */
  plot: number[];
  total: string;
};

export type PreparedChart = {
  series: PreparedSeries[];
  /** Exact sum per bucket. */
  totals: string[];
  total: string;
  /** The fullest bucket, if any has something in it. */
  peak: { index: number; value: string } | undefined;
  /** How many groups the rest stands for. */
  folded: number;
};

/** Groups as stacked series: the largest keep their name and colour, the others are one grey rest. */
export function prepareSeries(overview: SeriesSource, metric: Metric): PreparedChart {
  const groups = merge(overview.groups, metric).toSorted((a, b) => compare(b.total, a.total));
  const shown = groups.filter((group) => group.total > 0n);
  const named = shown.slice(0, SERIES_COLOURS);
  const rest = shown.slice(SERIES_COLOURS);
  const slots = assignSlots(named.map((group) => group.key));
  const buckets = overview.buckets.length;
  const series = named.map((group) => toSeries(group, slots.get(group.key) ?? 0, metric));
  if (rest.length > 0) series.push(toSeries(fold(rest, buckets), 0, metric));
  const totals = Array.from({ length: buckets }, (_, index) =>
    shown.reduce((sum, group) => sum + (group.values[index] ?? 0n), 0n),
  );
  const peakIndex = totals.reduce(
    (best, value, index) => (value > (totals[best] ?? 0n) ? index : best),
    0,
  );
  const peakValue = totals[peakIndex] ?? 0n;
  return {
    series,
    totals: totals.map(String),
    total: totals.reduce((sum, value) => sum + value, 0n).toString(),
    peak: peakValue > 0n ? { index: peakIndex, value: peakValue.toString() } : undefined,
    folded: rest.length,
  };
}

/** What a group's key reads as; requests that reached no target have an empty one. */
export function groupLabel(key: string): string {
  return key === "" ? "no target reached" : key;
}

type Group = { key: string; values: bigint[]; total: bigint };

/** The backend keeps simulated and real rows of one key apart; a stack does not. */
function merge(groups: SeriesSource["groups"], metric: Metric): Group[] {
  const byKey = new Map<string, Group>();
  for (const group of groups) {
    const values = metric === "spend" ? group.spend.map(parseNano) : group.requests.map(BigInt);
    const known = byKey.get(group.key);
    const merged = known
      ? known.values.map((value, index) => value + (values[index] ?? 0n))
      : values;
    byKey.set(group.key, { key: group.key, values: merged, total: sum(merged) });
  }
  return [...byKey.values()];
}

function fold(groups: readonly Group[], buckets: number): Group {
  const values = Array.from({ length: buckets }, (_, index) =>
    groups.reduce((total, group) => total + (group.values[index] ?? 0n), 0n),
  );
  return { key: OTHER, values, total: sum(values) };
}

function toSeries(group: Group, slot: number, metric: Metric): PreparedSeries {
  const exact = group.values.map(String);
  return {
    key: group.key,
    label: groupLabel(group.key),
    slot,
    exact,
    plot: metric === "spend" ? exact.map(toPlotNumber) : exact.map(Number),
    total: group.total.toString(),
  };
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
