/** Prices as somebody types them, before they are sent. */

import type { PriceCard, PriceInput, Problem, RateInput } from "@/bindings";
import { byUnit } from "./model";

export type TypedRate = { unit: string; usd: string };
export type TypedTier = { above: string; rates: TypedRate[] };

export type OwnPrice = {
  rates: TypedRate[];
  tiers: TypedTier[];
  /** Percent a batch pays; empty: in full. */
  batch: string;
  /** An instant; undefined: from now on. */
  from: string | undefined;
  source: string;
  reason: string;
};

/** As a card stands; without one, empty fields for what a model of its kind is usually priced by. */
export function ownPriceOf(card: PriceCard | null, capabilities: readonly string[]): OwnPrice {
  return {
    rates: card ? typed(card.rates) : usualUnits(capabilities).map((unit) => ({ unit, usd: "" })),
    tiers: (card?.tiers ?? []).map(({ above_input_tokens, rates }) => ({
      above: above_input_tokens,
      rates: typed(rates),
    })),
    batch: card?.batch_percent?.toString() ?? "",
    from: undefined,
    source: "",
    reason: "",
  };
}

function typed(rates: readonly { unit: string; usd: string }[]): TypedRate[] {
  return byUnit(rates).map(({ unit, usd }) => ({ unit, usd }));
}

function usualUnits(capabilities: readonly string[]): string[] {
  if (capabilities.includes("chat") || capabilities.includes("vision"))
    return ["input_tokens", "cached_input_tokens", "output_tokens"];
  if (capabilities.includes("embedding")) return ["input_tokens"];
  if (capabilities.includes("transcription")) return ["audio_milliseconds"];
  return capabilities.includes("speech") ? ["characters"] : ["images"];
}

/**
 * What is sent: only what differs from the card in force, because a rate that is not named keeps its exact price, which may be
 * finer than what is shown. Also which typed rate each sent one is, to find the field a problem belongs to.
 */
export function toInput(
  target: string,
  price: OwnPrice,
  base: PriceCard | null,
): { input: PriceInput; sent: string[] } {
  const before = ownPriceOf(base, []);
  const known = new Map(base ? before.rates.map(({ unit, usd }) => [unit, usd]) : []);
  const changed = price.rates.filter(({ unit, usd }) => (known.get(unit) ?? "") !== usd.trim());
  const named = new Set(price.rates.map(({ unit }) => unit));
  const gone = [...known.keys()].filter((unit) => !named.has(unit));
  const rates: RateInput[] = [
    ...changed.map(({ unit, usd }) => ({ unit, usd: usd.trim() })),
    ...gone.map((unit) => ({ unit, usd: "" })),
  ];
  const tiersMoved = JSON.stringify(before.tiers) !== JSON.stringify(price.tiers);
  const batchMoved = before.batch !== price.batch.trim();
  const input: PriceInput = {
    target,
    rates,
    tiers: tiersMoved
      ? price.tiers.map(({ above, rates: own }) => ({
          above_input_tokens: above.trim(),
          rates: own.filter(({ usd }) => usd.trim() !== ""),
        }))
      : null,
    batch_percent: batchMoved ? percentOf(price.batch) : null,
    effective_from: price.from ?? null,
    source_url: textOrNull(price.source),
    reason: textOrNull(price.reason),
  };
  return { input, sent: rates.map(({ unit }) => unit) };
}

/** Whether something would be another price. */
export function changesPrice({ rates, tiers, batch_percent }: PriceInput): boolean {
  return (rates?.length ?? 0) > 0 || (tiers ?? null) !== null || (batch_percent ?? null) !== null;
}

/** Nothing typed means in full; what is no number is sent as it cannot be, so that the backend says so. */
function percentOf(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "") return 100;
  return /^\d{1,3}$/.test(trimmed) ? Number(trimmed) : 0;
}

function textOrNull(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

/** The problems of the backend at the fields of the form: `rate input_tokens`, `tier 0 above`, `batch`, `from`, `source`. */
export function atFields(
  problems: readonly Problem[],
  sent: readonly string[],
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { field, message } of problems) found.set(formField(field, sent), message);
  return found;
}

function formField(field: string, sent: readonly string[]): string {
  const rate = /^rates\[(\d+)\]/.exec(field);
  if (rate) return `rate ${sent[Number(rate[1])] ?? ""}`;
  const inTier = /^tiers\[(\d+)\]\.rates\[(\d+)\]/.exec(field);
  if (inTier) return `tier ${inTier[1]} rate ${inTier[2]}`;
  const tier = /^tiers\[(\d+)\]/.exec(field);
  if (tier) return `tier ${tier[1]} above`;
  return { batch_percent: "batch", effective_from: "from", source_url: "source" }[field] ?? "form";
}
