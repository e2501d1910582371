/** Shares of traffic between targets, and the three parts of a balance: whole numbers that add up. */

import type { Balance } from "@/bindings";

/** What takes a share of the traffic. */
type Sharer = { enabled: boolean; weight: number };

/** What the shares of the targets that are on add up to. */
export function sumShares(cards: readonly Sharer[]): number {
  return cards.reduce((sum, card) => sum + (card.enabled ? card.weight : 0), 0);
}

/** The share a target really gets, 0..1; absent where nobody has any. */
export function realShare(cards: readonly Sharer[], card: Sharer): number | undefined {
  const sum = sumShares(cards);
  if (sum === 0) return undefined;
  return card.enabled ? card.weight / sum : 0;
}

/**
 * The same proportions, adding up to 100. Nobody who had a share loses it to rounding; without any shares all get the same.
 * Targets that are off keep theirs for when they are on again.
 */
export function evenShares<T extends Sharer>(cards: readonly T[]): readonly T[] {
  const on = cards.filter((card) => card.enabled);
  const asked = sumShares(cards) === 0 ? on.map(() => 1) : on.map((card) => card.weight);
  const shares = apportion(100, asked);
  let next = 0;
  return cards.map((card) => (card.enabled ? { ...card, weight: shares[next++] ?? 0 } : card));
}

export const BALANCE_PARTS = ["cost", "latency", "quality"] as const;
export type BalancePart = (typeof BALANCE_PARTS)[number];

/** A balance with one part set; the other two give or take in proportion, so that it stays at 100. */
export function withPart(balance: Balance, part: BalancePart, value: number): Balance {
  const set = Math.max(0, Math.min(100, Math.round(value)));
  const [first, second] = BALANCE_PARTS.filter((other) => other !== part) as [
    BalancePart,
    BalancePart,
  ];
  const together = balance[first] + balance[second];
  const rest = 100 - set;
  const left =
    together === 0 ? Math.ceil(rest / 2) : Math.round((rest * balance[first]) / together);
  return { ...balance, [part]: set, [first]: left, [second]: rest - left };
}

/**
 * A whole divided by weights into whole numbers: the largest remainders get what rounding leaves over, and a weight above 0
 * gets at least 1 where there is enough for all.
 */
function apportion(whole: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 0) return weights.map(() => 0);
  const ideal = weights.map((weight) => (whole * weight) / sum);
  const given = ideal.map((part, index) =>
    Math.max(weights[index] === 0 ? 0 : 1, Math.floor(part)),
  );
  const byRemainder = ideal
    .map((part, index) => ({ index, remainder: part - (given[index] ?? 0) }))
    .toSorted((a, b) => b.remainder - a.remainder);
  let left = whole - given.reduce((total, part) => total + part, 0);
  for (const { index } of byRemainder) {
    if (left <= 0) break;
    if (weights[index] === 0) continue;
    given[index] = (given[index] ?? 0) + 1;
    left -= 1;
  }
  // What the smallest were lifted by comes from the largest.
  while (left < 0) {
    const largest = given.indexOf(Math.max(...given));
    given[largest] = (given[largest] ?? 0) - 1;
    left += 1;
  }
  return given;
}
