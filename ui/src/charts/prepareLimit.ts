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
  reserved: { amount: string; plot: number } | undefined;
};

/** A line above this many times the fullest bar is not drawn. */
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
  return {
    words,
    amount,
    plot: toPlotNumber(amount),
    drawn: parseNano(amount) <= parseNano(fullest) * FAR_ABOVE,
    reserved:
      isNow && !isZeroNano(reserved)
        ? { amount: reserved, plot: toPlotNumber(reserved) }
        : undefined,
  };
}
