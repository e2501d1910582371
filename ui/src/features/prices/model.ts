/** The words and the choices behind prices. */

import type { PriceCard, PriceFilter, PriceRate, RateChange } from "@/bindings";
import { isZeroNano } from "@/lib/money";
import { formatCompact } from "@/lib/numbers";
import type { PricesSearch } from "./search";

export type UnitWords = { unit: string; word: string; lot: string };

const TOKENS = "1M tokens";

/** Every unit something can be priced by, in the order costs are listed. */
export const UNITS: readonly UnitWords[] = [
  { unit: "input_tokens", word: "Input", lot: TOKENS },
  { unit: "cached_input_tokens", word: "Cached input", lot: TOKENS },
  { unit: "cache_write_5m_tokens", word: "Cache write, 5 min", lot: TOKENS },
  { unit: "cache_write_1h_tokens", word: "Cache write, 1 h", lot: TOKENS },
  { unit: "output_tokens", word: "Output", lot: TOKENS },
  { unit: "reasoning_tokens", word: "Reasoning", lot: TOKENS },
  { unit: "audio_input_tokens", word: "Audio in", lot: TOKENS },
  { unit: "cached_audio_input_tokens", word: "Cached audio in", lot: TOKENS },
  { unit: "audio_output_tokens", word: "Audio out", lot: TOKENS },
  { unit: "image_input_tokens", word: "Image in", lot: TOKENS },
  { unit: "image_output_tokens", word: "Image out", lot: TOKENS },
  { unit: "audio_milliseconds", word: "Sound", lot: "minute" },
  { unit: "characters", word: "Characters", lot: "1k characters" },
  { unit: "images", word: "Images", lot: "image" },
  { unit: "requests", word: "Requests", lot: "request" },
  { unit: "web_searches", word: "Web searches", lot: "search" },
];

export function unitWord(unit: string): string {
  const known = UNITS.find((candidate) => candidate.unit === unit);
  if (known) return known.word;
  const words = unit.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function unitLot(unit: string): string {
  return UNITS.find((candidate) => candidate.unit === unit)?.lot ?? TOKENS;
}

/** Units in the order costs are listed; unknown ones last. */
export function byUnit<T extends { unit: string }>(rates: readonly T[]): T[] {
  return rates.toSorted((a, b) => place(a.unit) - place(b.unit));
}

function place(unit: string): number {
  const index = UNITS.findIndex((candidate) => candidate.unit === unit);
  return index < 0 ? UNITS.length : index;
}

/** What the list shows of a card: the token rates, or the first rate of another unit. */
export type MainRates = {
  input: PriceRate | undefined;
  cached: PriceRate | undefined;
  output: PriceRate | undefined;
  /** Where it is not priced by tokens: $/min, $/image … */
  own: PriceRate | undefined;
  /** Rates the three columns have no room for. */
  more: number;
};

export function mainRates(card: PriceCard): MainRates {
  const of = (unit: string) => card.rates.find((rate) => rate.unit === unit);
  const input = of("input_tokens");
  const cached = of("cached_input_tokens");
  const output = of("output_tokens");
  const tokens = [input, cached, output].filter((rate) => rate !== undefined).length;
  const own = tokens === 0 ? byUnit(card.rates)[0] : undefined;
  return { input, cached, output, own, more: card.rates.length - tokens - (own ? 1 : 0) };
}

export function isFree(rate: PriceRate): boolean {
  return isZeroNano(rate.amount);
}

export type Origin = "shipped" | "imported" | "own";

const ORIGINS: Record<Origin, { word: string; says: string }> = {
  shipped: { word: "Shipped", says: "From the catalogue that came with Signalbox" },
  imported: { word: "Imported", says: "Taken over from a price list" },
  own: { word: "Yours", says: "Entered by hand" },
};

/** Whose a price is; what this window does not know is shown as it is written. */
export function originWords(origin: string): { word: string; says: string } {
  return origin === "shipped" || origin === "imported" || origin === "own"
    ? ORIGINS[origin]
    : { word: origin, says: origin };
}

export const ORIGIN_CHOICES: readonly { value: Origin; label: string }[] = [
  { value: "shipped", label: ORIGINS.shipped.word },
  { value: "imported", label: ORIGINS.imported.word },
  { value: "own", label: ORIGINS.own.word },
];

export const CAPABILITIES: readonly { value: string; label: string }[] = [
  { value: "chat", label: "Chat" },
  { value: "vision", label: "Vision" },
  { value: "embedding", label: "Embedding" },
  { value: "transcription", label: "Transcription" },
  { value: "speech", label: "Speech" },
  { value: "audio_input", label: "Audio input" },
];

export function capabilityWord(capability: string): string {
  return CAPABILITIES.find(({ value }) => value === capability)?.label ?? capability;
}

/** The part of the URL that asks the backend; what is absent is left out, so that equal filters are equal. */
export function pickFilter(search: PricesSearch): PriceFilter {
  return {
    ...(search.q?.trim() ? { search: search.q.trim() } : {}),
    ...(search.provider ? { provider: search.provider } : {}),
    ...(search.capability ? { capability: search.capability } : {}),
    ...(search.origin ? { origin: search.origin } : {}),
    ...(search.unpriced ? { unpriced_only: true } : {}),
  };
}

export function isUnfiltered(filter: PriceFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** What a tier is called: `above 200K tokens read`. */
export function tierWords(above: string): string {
  return `above ${formatCompact(above)} tokens read`;
}

/** A change of a rate in words: `Input $0.27 → $0.24 (−11.1 %)`. */
export function changeWords(change: RateChange): string {
  const percent = percentWords(change.percent);
  const above =
    change.above_input_tokens === null ? "" : ` ${tierWords(change.above_input_tokens)}`;
  return `${unitWord(change.unit)}${above} ${usdWords(change.before)} → ${usdWords(change.after)}${percent === undefined ? "" : ` (${percent})`}`;
}

/** `0.3` as `$0.30`, with every digit there is; nothing as what it means. */
export function usdWords(usd: string | null): string {
  if (usd === null) return "no price";
  if (/^0(\.0*)?$/.test(usd)) return "free";
  const [whole, fraction = ""] = usd.split(".");
  return `$${whole}.${fraction.padEnd(2, "0")}`;
}

/** `-12.5` as `−12.5 %`, `8` as `+8 %`; undefined where there is nothing to compare. */
export function percentWords(percent: string | null): string | undefined {
  if (percent === null) return undefined;
  if (percent.startsWith("-")) return `−${percent.slice(1)} %`;
  return /^0(\.0*)?$/.test(percent) ? "0 %" : `+${percent} %`;
}

/** The change that moves most, for a column with room for one; what has no percent moves most of all. */
export function largestChange(changes: readonly RateChange[]): RateChange | undefined {
  return changes.toSorted((a, b) => size(b) - size(a))[0];
}

function size({ percent }: RateChange): number {
  return percent === null ? Number.POSITIVE_INFINITY : Math.abs(Number(percent));
}
