/** The words and the arithmetic behind a cost: every number can be recomputed by hand. */

import type { AttemptView, CostLineView, CostStatus } from "@/bindings";
import { formatMoneyExact } from "@/lib/money";
import { formatCount } from "@/lib/numbers";

const UNIT_WORDS: Readonly<Record<string, string>> = {
  input_tokens: "Input tokens",
  cached_input_tokens: "Cached input tokens",
  cache_read_tokens: "Cached input tokens",
  cache_write_tokens: "Cache write tokens",
  cache_write_5m_tokens: "Cache write tokens (5 min)",
  cache_write_1h_tokens: "Cache write tokens (1 h)",
  output_tokens: "Output tokens",
  reasoning_tokens: "Reasoning tokens",
  audio_input_tokens: "Audio input tokens",
  audio_output_tokens: "Audio output tokens",
  image_tokens: "Image tokens",
  requests: "Requests",
  characters: "Characters",
  audio_seconds: "Seconds of audio",
};

/** A unit as a person says it. Unknown units are shown as they are, without underscores. */
export function unitLabel(unit: string): string {
  const known = UNIT_WORDS[unit];
  if (known) {
    return known;
  }
  const words = unit.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `1000000` as `1M`; what is not a round power of a thousand stays in full. */
export function perLabel(per: string): string {
  if (per === "1000000") {
    return "1M";
  }
  return per === "1000" ? "1K" : formatCount(per);
}

/** `1,234 × $0.27 / 1M = $0.00033318`, or why there is no result. */
export function arithmetic(line: CostLineView): string {
  const quantity = formatCount(line.quantity);
  if (line.price === null || line.price === undefined) {
    return `${quantity} × no price known`;
  }
  const per = line.per === "1" ? "" : ` / ${perLabel(line.per)}`;
  const result =
    line.cost === null || line.cost === undefined ? "unknown" : formatMoneyExact(line.cost);
  return `${quantity} × ${formatMoneyExact(line.price)}${per} = ${result}`;
}

/** Sum of the costs that are known, in nano-dollars. Absent when none is. */
export function sumCosts(costs: readonly (string | null | undefined)[]): string | undefined {
  const known = costs.filter((cost): cost is string => typeof cost === "string");
  return known.length === 0
    ? undefined
    : known.reduce((sum, cost) => sum + BigInt(cost), 0n).toString();
}

/** True when the lines do not add up to the stated cost, so that the screen can say which one counts. */
export function linesDiffer(attempt: Pick<AttemptView, "lines" | "cost">): boolean {
  const sum = sumCosts(attempt.lines.map((line) => line.cost));
  return sum !== undefined && typeof attempt.cost === "string" && sum !== attempt.cost;
}

/** What a cost status means, in one sentence each. */
export const PRICING_WORDS: Readonly<Record<CostStatus, { word: string; meaning: string }>> = {
  exact: {
    word: "Exact",
    meaning:
      "The provider reported the usage, and every unit has a price. The arithmetic below is the whole calculation.",
  },
  provider_charged: {
    word: "Charged by provider",
    meaning:
      "The provider stated what it charged. That amount counts, even where it differs from the price card.",
  },
  estimated: {
    word: "Estimated",
    meaning:
      "The provider did not report usage, so Signalbox counted the tokens itself. The bill may differ slightly.",
  },
  unpriced: {
    word: "Unpriced",
    meaning:
      "At least one unit has no price, so the cost is unknown. It is not $0, and it is missing from every total.",
  },
};
