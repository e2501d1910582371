import type { Overview } from "@/bindings";
import { parseNano } from "@/lib/money";
import { assignSlots, OTHER, SERIES_COLOURS } from "./colours";
import { groupLabel, type Metric } from "./prepareSeries";

export type Share = {
  key: string;
  label: string;
  slot: number;
  /** Exact: nano-dollars or a count, as a decimal string. */
  value: string;
  /** 0..1 of all. */
  share: number;
};

/** Who had how much of the whole, largest first; what does not get a colour is one rest. */
export function prepareShares(overview: Overview, metric: Metric): Share[] {
  const totals = new Map<string, bigint>();
  for (const group of overview.groups) {
    const value = metric === "spend" ? parseNano(group.total.spend) : BigInt(group.total.requests);
    totals.set(group.key, (totals.get(group.key) ?? 0n) + value);
  }
  const sorted = [...totals]
    .filter(([, value]) => value > 0n)
    .toSorted(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0));
  const all = sorted.reduce((sum, [, value]) => sum + value, 0n);
  const named = sorted.slice(0, SERIES_COLOURS);
  const rest = sorted.slice(SERIES_COLOURS).reduce((sum, [, value]) => sum + value, 0n);
  const slots = assignSlots(named.map(([key]) => key));
  const share = (key: string, label: string, slot: number, value: bigint): Share => ({
    key,
    label,
    slot,
    value: value.toString(),
    share: Number((value * 1_000_000n) / all) / 1_000_000,
  });
  const shares = named.map(([key, value]) =>
    share(key, groupLabel(key), slots.get(key) ?? 0, value),
  );
  if (rest > 0n) shares.push(share(OTHER, `${sorted.length - SERIES_COLOURS} others`, 0, rest));
  return shares;
}
