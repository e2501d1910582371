import { z } from "zod";
import { optionalText } from "./search";

/** The presets of the header's picker; `all` only where a screen allows it, `custom` with `from` and `to`. */
export const RANGE_PRESETS = ["15m", "1h", "24h", "7d", "30d", "all", "custom"] as const;
export type RangePreset = (typeof RANGE_PRESETS)[number];

/** Part of a screen's search schema: the shared time range in the URL. */
export const rangeSearch = {
  range: z.enum(RANGE_PRESETS).optional().catch(undefined),
  from: optionalText,
  to: optionalText,
};

export type RangeSearch = {
  range?: RangePreset | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

/** Half-open, in milliseconds since the epoch; an absent edge is open. */
export type TimeSpan = { from?: string; to?: string };

const LENGTH_MS: Record<"15m" | "1h" | "24h" | "7d" | "30d", number> = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
  "30d": 30 * 86_400_000,
};

export const RANGE_LABELS: Record<RangePreset, string> = {
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  all: "All time",
  custom: "Custom range",
};

/** What the range means at `nowMs`, as ISO instants. A broken custom range falls back to `fallback`. */
export function resolveRange(search: RangeSearch, fallback: RangePreset, nowMs: number): TimeSpan {
  const preset = search.range ?? fallback;
  if (preset === "all") return {};
  if (preset === "custom") {
    const from = Date.parse(search.from ?? "");
    const to = Date.parse(search.to ?? "");
    if (Number.isNaN(from) || Number.isNaN(to) || to <= from) {
      return fallback === "custom" ? {} : resolveRange({}, fallback, nowMs);
    }
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  }
  return {
    from: new Date(nowMs - LENGTH_MS[preset]).toISOString(),
    to: new Date(nowMs).toISOString(),
  };
}

/** Just the range part of any search, to carry it from screen to screen. */
export function pickRange(search: Record<string, unknown>): RangeSearch {
  const parsed = z.object(rangeSearch).parse(search);
  return {
    ...(parsed.range ? { range: parsed.range } : {}),
    ...(parsed.from ? { from: parsed.from } : {}),
    ...(parsed.to ? { to: parsed.to } : {}),
  };
}
