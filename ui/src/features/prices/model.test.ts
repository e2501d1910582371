import { describe, expect, it } from "vitest";
import type { PriceCard, PriceImportPreview, PriceRate, RateChange } from "@/bindings";
import { firstChoice, firstTab, selectable, tabCounts, toggleAll, toggleOne } from "./importChoice";
import {
  changeWords,
  largestChange,
  mainRates,
  percentWords,
  pickFilter,
  unitWord,
  usdWords,
} from "./model";
import { atFields, changesPrice, ownPriceOf, toInput } from "./ownPrice";

function rate(unit: string, usd: string): PriceRate {
  return {
    unit,
    lot: "1M tokens",
    usd,
    amount: "270000000",
    exact_amount: "270000000",
    exact_per: "1000000",
  };
}

function card(rates: PriceRate[], change: Partial<PriceCard> = {}): PriceCard {
  return {
    effective_from: "2026-11-01T00:00:00Z",
    state: "in_force",
    origin: "shipped",
    source_url: null,
    as_of: null,
    batch_percent: null,
    rates,
    tiers: [],
    ...change,
  };
}

const CHAT = card([rate("output_tokens", "1.1"), rate("input_tokens", "0.27")]);

function change(percent: string | null, unit = "input_tokens"): RateChange {
  return {
    unit,
    lot: "1M tokens",
    above_input_tokens: null,
    before: "0.27",
    after: "0.24",
    percent,
  };
}

describe("the list", () => {
  it("shows token rates, or the rate of another unit where there are none", () => {
    expect(mainRates(CHAT)).toMatchObject({ own: undefined, more: 0 });
    expect(mainRates(card([rate("characters", "0.015")])).own?.unit).toBe("characters");
    expect(mainRates(card([rate("input_tokens", "1"), rate("web_searches", "1")])).more).toBe(1);
  });

  it("asks with equal filters for equal URLs", () => {
    expect(pickFilter({ q: " gpt ", unpriced: true, price: "a/b" })).toEqual({
      search: "gpt",
      unpriced_only: true,
    });
    expect(pickFilter({ q: " " })).toEqual({});
  });

  it("names units, also those it does not know", () => {
    expect(unitWord("cache_write_1h_tokens")).toBe("Cache write, 1 h");
    expect(unitWord("gpu_seconds")).toBe("Gpu seconds");
  });
});

describe("changes", () => {
  it("are told with a sign, and a new price without a percent", () => {
    expect([
      percentWords("-12.5"),
      percentWords("8"),
      percentWords("0"),
      percentWords(null),
    ]).toEqual(["−12.5 %", "+8 %", "0 %", undefined]);
    expect(changeWords(change("-11.1"))).toBe("Input $0.27 → $0.24 (−11.1 %)");
    expect(changeWords({ ...change(null), before: null, above_input_tokens: "200000" })).toBe(
      "Input above 200K tokens read no price → $0.24",
    );
  });

  it("are as large as the largest of them", () => {
    expect(largestChange([change("5"), change("-80"), change("20")])?.percent).toBe("-80");
    expect(largestChange([change("5"), change(null)])?.percent).toBeNull();
  });
});

describe("dollars", () => {
  it("keep every digit and have at least two decimals", () => {
    expect(["0.3", "1", "0.00075", "0.0", null].map((usd) => usdWords(usd))).toEqual([
      "$0.30",
      "$1.00",
      "$0.00075",
      "free",
      "no price",
    ]);
  });
});

describe("a price of one's own", () => {
  it("sends only what differs, so that finer prices stay as they are", () => {
    const price = ownPriceOf(CHAT, []);
    expect(changesPrice(toInput("a/b", price, CHAT).input)).toBe(false);
    price.rates = [{ unit: "input_tokens", usd: "0.3" }];
    const { input, sent } = toInput("a/b", price, CHAT);
    expect(input.rates).toEqual([
      { unit: "input_tokens", usd: "0.3" },
      { unit: "output_tokens", usd: "" },
    ]);
    expect(sent).toEqual(["input_tokens", "output_tokens"]);
    expect(input.tiers).toBeNull();
    expect(input.batch_percent).toBeNull();
  });

  it("takes a batch share away by paying in full", () => {
    const half = card(CHAT.rates, { batch_percent: 50 });
    const price = { ...ownPriceOf(half, []), batch: "" };
    expect(toInput("a/b", price, half).input.batch_percent).toBe(100);
    expect(toInput("a/b", { ...price, batch: "half" }, half).input.batch_percent).toBe(0);
  });

  it("starts with the units a model of its kind has", () => {
    expect(ownPriceOf(null, ["transcription"]).rates).toEqual([
      { unit: "audio_milliseconds", usd: "" },
    ]);
    expect(ownPriceOf(null, ["chat"]).rates.map(({ unit }) => unit)).toContain("output_tokens");
  });

  it("finds the field of each problem", () => {
    const fields = atFields(
      [
        { field: "rates[1].usd", message: "one" },
        { field: "tiers[0].above_input_tokens", message: "two" },
        { field: "tiers[0].rates[1].usd", message: "three" },
        { field: "effective_from", message: "four" },
        { field: "rates", message: "five" },
      ],
      ["input_tokens", "output_tokens"],
    );
    expect([...fields]).toEqual([
      ["rate output_tokens", "one"],
      ["tier 0 above", "two"],
      ["tier 0 rate 1", "three"],
      ["from", "four"],
      ["form", "five"],
    ]);
  });
});

describe("an import", () => {
  const preview = {
    new: [
      { target: "a/known", known: true },
      { target: "a/unknown", known: false },
    ],
    changed: [
      { target: "a/fair", suspicious: [] },
      { target: "a/odd", suspicious: ["falls by 99 %"] },
    ],
    unchanged: ["a/same"],
    skipped: [],
  } as unknown as PriceImportPreview;

  it("chooses nothing suspicious and nothing foreign by itself", () => {
    expect([...firstChoice(preview)]).toEqual(["a/fair", "a/known"]);
  });

  it("counts each price on one tab", () => {
    expect(tabCounts(preview)).toEqual({
      new: 2,
      changed: 1,
      suspicious: 1,
      unchanged: 1,
      skipped: 0,
    });
    expect(firstTab(preview)).toBe("changed");
    expect(selectable(preview, "unchanged")).toEqual([]);
  });

  it("chooses a whole tab and lets it go again", () => {
    const all = toggleAll(new Set(["x"]), ["a", "b"]);
    expect([...all]).toEqual(["x", "a", "b"]);
    expect([...toggleAll(all, ["a", "b"])]).toEqual(["x"]);
    expect([...toggleOne(all, "a")]).toEqual(["x", "b"]);
  });
});
