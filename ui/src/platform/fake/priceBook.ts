import type { CardState, Operation, PriceCard, PriceRate, PriceRow, Provider } from "@/bindings";
import type { FakeMode } from "./mode";

const DAY_MS = 86_400_000;

/** A model with all its cards, the oldest first. */
export type PricedModel = Omit<PriceRow, "card" | "planned"> & {
  cards: PriceCard[];
  note: string | null;
  aliases: string[];
};

type Lot = { name: string; units: string };

const TOKENS: Lot = { name: "1M tokens", units: "1000000" };
const LOTS: Readonly<Record<string, Lot>> = {
  audio_milliseconds: { name: "minute", units: "60000" },
  characters: { name: "1k characters", units: "1000" },
  images: { name: "image", units: "1" },
  requests: { name: "request", units: "1" },
  web_searches: { name: "search", units: "1" },
};

export function rateOf(unit: string, usd: string): PriceRate {
  const lot = LOTS[unit] ?? TOKENS;
  const amount = nanoOf(usd).toString();
  return { unit, lot: lot.name, amount, usd, exact_amount: amount, exact_per: lot.units };
}

/** Decimal dollars as nano-dollars. */
export function nanoOf(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole || "0") * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

function usdOf(nano: bigint): string {
  const digits = nano.toString().padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  return fraction === "" ? digits.slice(0, -9) : `${digits.slice(0, -9)}.${fraction}`;
}

/** A rate by so many percent of what it was. */
export function scaled(rate: PriceRate, percent: number): PriceRate {
  return rateOf(rate.unit, usdOf((BigInt(rate.amount) * BigInt(percent)) / 100n));
}

export function cardOf(
  fromMs: number,
  rates: PriceRate[],
  more: Partial<PriceCard> = {},
): PriceCard {
  return {
    effective_from: new Date(fromMs).toISOString(),
    state: "past",
    origin: "shipped",
    source_url: "https://example.com/pricing",
    as_of: "2026-11-14",
    batch_percent: null,
    rates,
    tiers: [],
    ...more,
  };
}

/** The row of the list: the card in force now, and the one that follows. */
export function rowOf(model: PricedModel, nowMs: number): PriceRow {
  const { cards, note: _note, aliases: _aliases, ...row } = model;
  const dated = datedOf(cards, nowMs);
  const force = dated.find((card) => card.state === "in_force") ?? null;
  return {
    ...row,
    card: force && force.rates.length > 0 ? force : null,
    planned: dated.findLast((card) => card.state === "planned") ?? null,
  };
}

/** Newest first, each with what it is now. */
export function datedOf(cards: readonly PriceCard[], nowMs: number): PriceCard[] {
  const sorted = cards.toSorted(
    (a, b) => Date.parse(b.effective_from) - Date.parse(a.effective_from),
  );
  const force = sorted.find((card) => Date.parse(card.effective_from) <= nowMs);
  return sorted.map((card) => {
    const state: CardState =
      card === force ? "in_force" : Date.parse(card.effective_from) > nowMs ? "planned" : "past";
    return { ...card, state };
  });
}

export function makePrices(
  providers: readonly Provider[],
  operations: readonly Operation[],
  nowMs: number,
  mode: FakeMode,
): Map<string, PricedModel> {
  const used = new Set(
    operations.flatMap(({ targets }) =>
      targets.map(({ provider, model }) => `${provider}/${model}`),
    ),
  );
  const known = providers.flatMap((provider) =>
    provider.models.map((model) => {
      const target = `${provider.name}/${model.name}`;
      const rates =
        model.input_per_mtok === null
          ? (OWN_UNITS[target] ?? [])
          : [
              rateOf("input_tokens", usdOf(BigInt(model.input_per_mtok))),
              rateOf("cached_input_tokens", usdOf(BigInt(model.cached_input_per_mtok ?? "0"))),
              rateOf("output_tokens", usdOf(BigInt(model.output_per_mtok ?? "0"))),
            ];
      const cards = rates.length === 0 ? [] : [cardOf(nowMs - 120 * DAY_MS, rates)];
      return priced(provider.name, model.name, model.capabilities, model.context_window, cards);
    }),
  );
  const more = mode === "large" ? manyPrices(nowMs) : mode === "empty" ? [] : extras(nowMs);
  const all = [...known, ...more].map((model) => ({ ...model, in_use: used.has(model.target) }));
  const book = new Map(all.map((model) => [model.target, model]));
  if (mode !== "empty") embellish(book, nowMs);
  return book;
}

const OWN_UNITS: Readonly<Record<string, PriceRate[]>> = {
  "deepgram/nova-3": [rateOf("audio_milliseconds", "0.0043")],
  "elevenlabs/eleven_flash_v2_5": [rateOf("characters", "0.05")],
  "edge_tts/edge-neural": [rateOf("characters", "0")],
};

function priced(
  provider: string,
  model: string,
  capabilities: string[],
  context_window: number | null,
  cards: PriceCard[],
): PricedModel {
  return {
    target: `${provider}/${model}`,
    provider,
    model,
    capabilities,
    context_window,
    in_use: false,
    block: null,
    cards,
    note: null,
    aliases: [],
  };
}

function extras(nowMs: number): PricedModel[] {
  const since = nowMs - 96 * DAY_MS;
  const chat = (input: string, cached: string, output: string) => [
    rateOf("input_tokens", input),
    rateOf("cached_input_tokens", cached),
    rateOf("output_tokens", output),
  ];
  const batch = { batch_percent: 50 };
  return [
    priced("anthropic", "claude-opus-4-5", ["chat", "vision"], 200_000, [
      cardOf(
        since,
        [
          ...chat("5", "0.5", "25"),
          rateOf("cache_write_5m_tokens", "6.25"),
          rateOf("cache_write_1h_tokens", "10"),
        ],
        batch,
      ),
    ]),
    priced("gemini", "gemini-2.5-pro", ["chat", "vision", "audio_input"], 1_048_576, [
      cardOf(since, chat("1.25", "0.125", "10"), {
        ...batch,
        tiers: [{ above_input_tokens: "200000", rates: chat("2.5", "0.25", "15") }],
      }),
    ]),
    priced("openai", "text-embedding-3-small", ["embedding"], 8_191, [
      cardOf(since, [rateOf("input_tokens", "0.02")], batch),
    ]),
    priced("openai", "gpt-image-1-mini", ["image"], null, [
      cardOf(since, [rateOf("images", "0.011")]),
    ]),
    priced("openai", "gpt-5.2-search", ["chat"], 400_000, [
      cardOf(since, [...chat("1.75", "0.175", "14"), rateOf("web_searches", "0.01")]),
    ]),
    priced("openai", "tts-1", ["speech"], null, [cardOf(since, [rateOf("characters", "0.015")])]),
    priced("mistral", "mistral-ocr", ["vision"], null, [
      cardOf(since, [rateOf("requests", "0.001")]),
    ]),
    priced("mistral", "ministral-8b-preview", ["chat"], 128_000, []),
  ];
}

/** What makes single models worth looking at: earlier and planned prices, own and imported ones, batches. */
function embellish(book: Map<string, PricedModel>, nowMs: number): void {
  const change = (target: string, more: (model: PricedModel, rates: PriceRate[]) => void) => {
    const model = book.get(target);
    if (model) more(model, model.cards.at(-1)?.rates ?? []);
  };
  change("deepseek/deepseek-chat", (model, rates) => {
    model.cards.push(
      cardOf(
        nowMs - 12 * DAY_MS,
        rates.map((rate) => scaled(rate, 90)),
        { origin: "imported", source_url: "https://api-docs.deepseek.com/pricing" },
      ),
      cardOf(
        nowMs + 20 * DAY_MS,
        rates.map((rate) => scaled(rate, 60)),
        { origin: "imported", source_url: "https://api-docs.deepseek.com/pricing" },
      ),
    );
    model.note = "Off-peak discounts ended in September 2025; one price holds at any hour.";
    model.aliases = ["deepseek/deepseek-v3.2"];
  });
  change("anthropic/claude-opus-4-5", (model) => {
    model.block = {
      since: new Date(nowMs - 2 * 3_600_000).toISOString(),
      request_id: "req_01j9x0000000000000000001",
      bound: "41200000",
      cost: "388000000",
    };
  });
  change("anthropic/claude-sonnet-4-5", (model, rates) => {
    model.cards = [cardOf(nowMs - 120 * DAY_MS, rates, { batch_percent: 50 })];
    model.aliases = ["anthropic/claude-sonnet-4-5-20250929"];
  });
  change("openai/gpt-5-mini", (model, rates) => {
    model.cards.push(
      cardOf(
        nowMs - 3 * DAY_MS,
        rates.map((rate) => scaled(rate, 80)),
        { origin: "own", source_url: null, as_of: null, batch_percent: 50 },
      ),
    );
  });
}

/** Ten thousand models, as an aggregator lists them. */
function manyPrices(nowMs: number): PricedModel[] {
  const vendors = ["openrouter", "together", "deepinfra", "fireworks", "vertex"];
  return Array.from({ length: 10_000 }, (_, index) => {
    const vendor = vendors[index % vendors.length] ?? "openrouter";
    const rates = [
      rateOf("input_tokens", `0.${String((index % 97) + 3).padStart(2, "0")}`),
      rateOf("output_tokens", `${(index % 13) + 1}.${index % 10}`),
    ];
    const name = `vendor-${index % 41}/model-${String(index).padStart(5, "0")}-instruct`;
    const cards = index % 37 === 0 ? [] : [cardOf(nowMs - (index % 200) * DAY_MS, rates)];
    return priced(vendor, name, ["chat"], 128_000, cards);
  });
}
