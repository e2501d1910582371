import { formatCount, plural } from "@/lib/numbers";

export type DayBar = {
  daysAgo: number;
  /** Height of the bar, 0..100. */
  percent: number;
};

export type PreparedDays = { bars: DayBar[]; words: string };

/** Bars of the last days and what they say. Of a few events one alone is not a full bar: three a day fill it. */
export function prepareDays(one: string, counts: readonly number[]): PreparedDays {
  const FULL_FROM = 3;
  const most = Math.max(FULL_FROM, ...counts);
  const bars = counts.map((count, index) => ({
    daysAgo: counts.length - 1 - index,
    percent: Math.round((count / most) * 100),
  }));
  const sum = counts.reduce((total, count) => total + count, 0);
  const span = `${formatCount(counts.length)} days`;
  if (sum === 0) return { bars, words: `No ${one} in ${span}` };
  const last = bars.findLast(({ percent }) => percent > 0)?.daysAgo ?? 0;
  return { bars, words: `${plural(sum, one)} in ${span}, the last ${ago(last)}` };
}

function ago(days: number): string {
  if (days === 0) return "today";
  return days === 1 ? "yesterday" : `${formatCount(days)} days ago`;
}
