import type { Bucket, BudgetGlance } from "@/bindings";
import { formatMoneyTotal, isZeroNano, parseNano, toPlotNumber } from "@/lib/money";

/** What a budget adds to a chart of spend. Exact amounts as decimal strings, the same for pixels beside them. */
export type PreparedLimit = {
  /** What the line stands for, in words. */
  words: string;
  amount: string;
  plot: number;
  /** Whether it is drawn; far above the bars it would press them flat, so then it is only said. */
  drawn: boolean;
  /** What requests that run hold now; it stands on the last bar, if that is the one of now. */
  reserved: { amount: string; plot: number; drawn: boolean } | undefined;
};

/** What is above this many times the fullest bar is not drawn, only said. */
const FAR_ABOVE = 4n;
const BUCKETS_PER_DAY: Record<Bucket, bigint> = { minute: 1_440n, hour: 24n, day: 1n };
const BUCKET_MS: Record<Bucket, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The budget of a day beside what was spent per bucket. In shorter buckets the line is the even pace that would use the
 * budget up: bars above it cannot go on like that all day.
 */
export function prepareLimit(
  budget: BudgetGlance | null,
  { bucket, buckets, at }: { bucket: Bucket; buckets: readonly string[]; at: string },
  fullest: string | undefined,
): PreparedLimit | undefined {
  if (!budget || budget.period !== "day" || fullest === undefined) return undefined;
  const amount = (parseNano(budget.limit) / BUCKETS_PER_DAY[bucket]).toString();
  const daily = `${formatMoneyTotal(budget.limit)} a day`;
  const words =
    bucket === "day"
      ? `Budget ${budget.name}: ${daily}`
      : `Pace of ${daily}: ${formatMoneyTotal(amount)} a${bucket === "hour" ? "n hour" : " minute"}`;
  const isNow = Date.parse(at) - Date.parse(buckets.at(-1) ?? "") < BUCKET_MS[bucket];
  const { reserved } = budget;
  const isDrawn = (nano: string) => parseNano(nano) <= parseNano(fullest) * FAR_ABOVE;
  return {
    words,
    amount,
    plot: toPlotNumber(amount),
    drawn: isDrawn(amount),
    reserved:
      isNow && !isZeroNano(reserved)
        ? { amount: reserved, plot: toPlotNumber(reserved), drawn: isDrawn(reserved) }
        : undefined,
  };
}

/** Room above the highest thing for the label of a line, as a share of it. */
const ROOM = 1.12;
const STEPS = [1, 2, 2.5, 5, 10];
const LINES = 4;

/** An axis of even, round steps on which a line at `top` has room for its label. */
export function axisWithRoom(top: number): { max: number; interval: number } {
  const wanted = top * ROOM;
  const power = 10 ** Math.floor(Math.log10(wanted / LINES));
  const step = STEPS.find((candidate) => candidate * power * LINES >= wanted) ?? 10;
  const interval = step * power;
  return { max: Math.ceil(wanted / interval) * interval, interval };
}
