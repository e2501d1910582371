import { changePercent } from "@/lib/money";

/** How a figure stands against the period before, in words; nothing when there was nothing before. */
export function comparison(percent: number | undefined): string | undefined {
  if (percent === undefined) return undefined;
  const rounded = Math.round(percent);
  if (rounded === 0) return "as before";
  const size = Math.abs(rounded) > 999 ? "> 999" : String(Math.abs(rounded));
  return `${rounded > 0 ? "▲" : "▼"} ${size} % vs before`;
}

export function spendComparison(now: string, before: string): string | undefined {
  return comparison(changePercent(now, before));
}

export function countComparison(now: number, before: number): string | undefined {
  return before === 0 ? undefined : comparison(((now - before) / before) * 100);
}
