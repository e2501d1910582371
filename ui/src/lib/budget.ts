import type { BudgetGlance } from "@/bindings";
import { compareNano, formatMoneyExact, shareOf, sumNano } from "./money";

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
