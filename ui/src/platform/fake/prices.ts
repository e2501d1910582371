import type {
  PriceCard,
  PriceFilter,
  PriceImportPreview,
  PriceInput,
  PricePreview,
  PriceRate,
  RateChange,
  RateInput,
} from "@/bindings";
import type { Commands } from "../types";
import { addChange, type Answer, type Failed, failed, made, ok } from "./answer";
import { cardOf, datedOf, nanoOf, type PricedModel, rateOf, rowOf, scaled } from "./priceBook";
import { announce, iso, type World } from "./world";

type PriceCommands = Pick<
  Commands,
  | "pricesPage"
  | "priceHistory"
  | "pricePreview"
  | "priceSet"
  | "modelUnblock"
  | "pricesUnpriced"
  | "priceImportPreview"
  | "priceImportApply"
>;

export function priceCommands(world: World, answer: Answer): PriceCommands {
  let pending: PriceImportPreview | undefined;
  return {
    pricesPage: (filter, cursor, limit) =>
      answer(() => {
        const now = Date.now();
        const all = [...world.prices.values()].toSorted((a, b) => (a.target < b.target ? -1 : 1));
        const found = all.filter((model) => accepts(model, filter, now));
        const rest = cursor === null ? found : found.filter(({ target }) => target > cursor);
        const rows = rest.slice(0, limit).map((model) => rowOf(model, now));
        return ok({
          rows,
          next: rest.length > limit ? (rows.at(-1)?.target ?? null) : null,
          total: found.length,
          unpriced: all.filter((model) => rowOf(model, now).card === null).length,
          blocked: all.filter(({ block }) => block !== null).map(({ target }) => target),
        });
      }),
    priceHistory: (target) =>
      answer(() => {
        const model = world.prices.get(target);
        if (!model) return failed("not_found", `There is no model ${target}.`);
        const { note, aliases } = model;
        const now = Date.now();
        return ok({ row: rowOf(model, now), cards: datedOf(model.cards, now), note, aliases });
      }),
    pricePreview: (input) =>
      answer(() => {
        const draft = draftOf(world, input);
        return "status" in draft ? draft : ok(draft);
      }),
    priceSet: (input) =>
      answer(() => {
        const draft = draftOf(world, input);
        if ("status" in draft) return draft;
        const model = world.prices.get(input.target ?? "");
        if (!model) return failed("not_found", "There is no such model.");
        const before = stateOf([model]);
        model.cards = [...model.cards, draft.after];
        model.block = null;
        addChange(world, {
          kind: "price",
          subject: model.target,
          sentence: `${model.target} has own prices from now on: ${draft.changes
            .map((change) => `${change.unit} $${change.before ?? "–"} → $${change.after ?? "–"}`)
            .join(", ")}`,
          before,
          after: stateOf([model]),
          reason: input.reason ?? null,
          revertible: true,
        });
        announce(world, ["prices", "providers", "operations", "changes"]);
        return made(rowOf(model, Date.now()));
      }),
    modelUnblock: ({ target, reason }) =>
      answer(() => {
        const model = world.prices.get(target);
        if (!model) return failed("not_found", `There is no model ${target}.`);
        if (model.block !== null)
          addChange(world, {
            kind: "model_block",
            subject: target,
            sentence: `${target} may be used again at the price it has`,
            before: JSON.stringify(model.block),
            after: null,
            reason,
            revertible: false,
          });
        model.block = null;
        announce(world, ["prices", "providers", "operations", "changes"]);
        return made(rowOf(model, Date.now()));
      }),
    pricesUnpriced: () =>
      answer(() => {
        if (world.mode === "empty") return ok([]);
        const now = Date.now();
        const seen: [string, number, PriceCard | null][] = [
          ["openai/gpt-4o-transcribe", 214, cardOf(now, [rateOf("audio_milliseconds", "0.006")])],
          ["mistral/ministral-8b-preview", 38, null],
          ["openai/gpt-5-mini", 6, null],
        ];
        return ok(
          seen.map(([target, requests, suggestion]) => {
            const model = world.prices.get(target);
            const priced_now = model ? rowOf(model, now).card !== null : false;
            return { target, requests, priced_now, suggestion };
          }),
        );
      }),
    priceImportPreview: (text) =>
      answer(() => {
        const read = importOf(world, text);
        if ("status" in read) return read;
        pending = read;
        return ok(read);
      }),
    priceImportApply: ({ token, targets = [], reason }) =>
      answer(() => {
        if (!pending || pending.token !== token)
          return failed(
            "not_found",
            "The preview of this price list is gone. Read the list again.",
          );
        if (targets.length === 0)
          return failed(
            "invalid",
            "Choose at least one model; nothing is taken over by itself.",
            "targets",
          );
        const chosen = new Set(targets);
        const before = stateOf([...world.prices.values()].filter((one) => chosen.has(one.target)));
        const taken = { new: 0, changed: 0 };
        for (const { target, cards, capabilities } of pending.new)
          if (chosen.has(target)) taken.new += take(world, target, cards, capabilities);
        for (const { target, cards } of pending.changed)
          if (chosen.has(target)) taken.changed += take(world, target, cards, []);
        const sentence = `${targets.length} prices are taken over from a ${pending.format}: ${targets.slice(0, 3).join(", ")}${targets.length > 3 ? ` and ${targets.length - 3} more` : ""}`;
        addChange(world, {
          kind: "price",
          subject: "litellm",
          sentence,
          before,
          after: stateOf([...world.prices.values()].filter((one) => chosen.has(one.target))),
          reason: reason ?? null,
          revertible: true,
        });
        pending = undefined;
        announce(world, ["prices", "providers", "operations", "changes"]);
        return made({ ...taken, sentence });
      }),
  };
}

function take(world: World, target: string, cards: PriceCard[], capabilities: string[]): number {
  const [provider = "", ...rest] = target.split("/");
  const model = world.prices.get(target) ?? {
    target,
    provider,
    model: rest.join("/"),
    capabilities,
    context_window: 128_000,
    in_use: false,
    block: null,
    cards: [],
    note: null,
    aliases: [],
  };
  model.cards = [...model.cards, ...cards];
  world.prices.set(target, model);
  return 1;
}

/** Prices as the history keeps them, so that a revert can put them back. */
function stateOf(models: readonly PricedModel[]): string {
  return JSON.stringify({ models });
}

export function restorePrices(world: World, before: string | null): void {
  if (before === null) return;
  const { models } = JSON.parse(before) as { models: PricedModel[] };
  for (const model of models) world.prices.set(model.target, model);
}

function accepts(model: PricedModel, filter: PriceFilter, nowMs: number): boolean {
  const { card } = rowOf(model, nowMs);
  return (
    (!filter.search || model.target.toLowerCase().includes(filter.search.toLowerCase())) &&
    (!filter.provider || model.provider === filter.provider) &&
    (!filter.capability || model.capabilities.includes(filter.capability)) &&
    (!filter.unpriced_only || card === null) &&
    (!filter.origin || card?.origin === filter.origin)
  );
}

function draftOf(world: World, input: PriceInput): PricePreview | Failed {
  const now = Date.now();
  const model = world.prices.get(input.target ?? "");
  if (!model) return failed("not_found", `There is no model ${input.target ?? ""}.`);
  const from = input.effective_from ? Date.parse(input.effective_from) : now;
  if (from < now - 5_000)
    return failed(
      "invalid",
      "A price cannot begin in the past: what was charged stays as it was.",
      "effective_from",
    );
  if (input.source_url && !input.source_url.startsWith("https://"))
    return failed("invalid", "A source is an address that begins with https://.", "source_url");
  const before = datedOf(model.cards, from).find((card) => card.state === "in_force") ?? null;
  const rates = applied(before?.rates ?? [], input.rates ?? [], "rates");
  if ("status" in rates) return rates;
  const tiers: PriceCard["tiers"] = [];
  for (const [index, tier] of (input.tiers ?? []).entries()) {
    if (!/^[1-9]\d*$/.test(tier.above_input_tokens))
      return failed(
        "invalid",
        "A tier begins above a number of tokens, e.g. 200000.",
        `tiers[${index}].above_input_tokens`,
      );
    const own = applied([], tier.rates, `tiers[${index}].rates`);
    if ("status" in own) return own;
    tiers.push({ above_input_tokens: tier.above_input_tokens, rates: own });
  }
  const percent = input.batch_percent;
  if (rates.some(({ unit }) => unit === "input_tokens") !== rates.some(isOutput(model)))
    return failed(
      "invalid",
      `${model.target} would be without a price for its output. 0 means free.`,
      "rates",
    );
  const after: PriceCard = {
    ...cardOf(from, rates, {
      origin: "own",
      source_url: input.source_url ?? null,
      as_of: input.source_url ? iso(now).slice(0, 10) : null,
      batch_percent:
        percent === undefined || percent === null
          ? (before?.batch_percent ?? null)
          : percent === 100
            ? null
            : percent,
      tiers: input.tiers ? tiers : (before?.tiers ?? []),
    }),
    state: from > now ? "planned" : "in_force",
  };
  const changes = changesOf(before?.rates ?? [], after.rates, null);
  const big = changes.filter((change) => Math.abs(Number(change.percent ?? "0")) > 50);
  return {
    before,
    after,
    changes,
    sample: {
      call: "1,000 tokens in, 500 out",
      before: before ? sampleOf(before.rates) : null,
      after: sampleOf(rates),
    },
    warnings: [
      ...big.map(
        ({ unit, percent: by }) =>
          `The price of ${unit} ${Number(by) > 0 ? "rises" : "falls"} by ${Math.abs(Number(by))} %.`,
      ),
      ...(changes.length === 0 && (percent ?? null) === null ? ["Nothing changes."] : []),
    ],
  };
}

function isOutput(model: PricedModel) {
  const one = model.capabilities.includes("embedding") || !model.capabilities.includes("chat");
  return ({ unit }: PriceRate) => unit === (one ? "input_tokens" : "output_tokens");
}

function applied(
  before: readonly PriceRate[],
  inputs: readonly RateInput[],
  field: string,
): PriceRate[] | Failed {
  const rates = new Map(before.map((rate) => [rate.unit, rate]));
  for (const [index, { unit, usd }] of inputs.entries()) {
    const text = usd.trim();
    if (text === "") {
      rates.delete(unit);
      continue;
    }
    if (!/^\d{1,9}(\.\d{1,9})?$/.test(text))
      return failed(
        "invalid",
        `\`${text}\` is no amount in plain decimal dollars.`,
        `${field}[${index}].usd`,
      );
    if (nanoOf(text) > 1_000_000_000_000n)
      return failed(
        "invalid",
        `$${text} per 1M tokens for ${unit} looks like a price per million typed as per token.`,
        `${field}[${index}].usd`,
      );
    rates.set(unit, rateOf(unit, text));
  }
  return [...rates.values()];
}

function changesOf(
  before: readonly PriceRate[],
  after: readonly PriceRate[],
  above: string | null,
): RateChange[] {
  const units = [...new Set([...before, ...after].map(({ unit }) => unit))];
  return units.flatMap((unit) => {
    const old = before.find((rate) => rate.unit === unit);
    const now = after.find((rate) => rate.unit === unit);
    if (old?.amount === now?.amount) return [];
    const base = BigInt(old?.amount ?? "0");
    const permille =
      old && now && base > 0n ? ((BigInt(now.amount) - base) * 1_000n) / base : undefined;
    return [
      {
        unit,
        lot: (now ?? old)?.lot ?? "1M tokens",
        above_input_tokens: above,
        before: old?.usd ?? null,
        after: now?.usd ?? null,
        percent: permille === undefined ? null : String(Number(permille) / 10),
      },
    ];
  });
}

function sampleOf(rates: readonly PriceRate[]): string {
  const of = (unit: string) => BigInt(rates.find((rate) => rate.unit === unit)?.amount ?? "0");
  return (of("input_tokens") / 1_000n + of("output_tokens") / 2_000n).toString();
}

/** Some of what is known costs something else, some is new, some nobody should believe. */
function importOf(world: World, text: string): PriceImportPreview | Failed {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object" || read === null) throw new Error("no object");
  } catch {
    return failed("invalid", "This is no price list: it is not JSON.", "text");
  }
  const now = Date.now();
  const known = [...world.prices.values()].filter(
    (model) => rowOf(model, now).card !== null && model.provider !== "simulator",
  );
  const imported = (rates: PriceRate[]) =>
    cardOf(now, rates, {
      origin: "imported",
      state: "in_force",
      source_url: "https://example.com/model_prices.json",
      as_of: iso(now).slice(0, 10),
    });
  const preview: PriceImportPreview = {
    token: `imp_${now}`,
    format: "LiteLLM model map",
    new: [
      newOf("mistral/ministral-8b-preview", true, "0.1", "0.1", imported),
      newOf("openai/gpt-5.3", false, "1.5", "12", imported),
      newOf("openai/gpt-5.3-mini", false, "0.2", "1.6", imported),
      newOf("anthropic/claude-haiku-5", false, "0.8", "4", imported),
    ],
    changed: [],
    unchanged: [],
    skipped: [
      { name: "sample_spec", reason: "It describes the format and is no model." },
      {
        name: "dall-e-3/1024-x-1024",
        reason: "It is priced by pixels, which no unit here stands for.",
      },
      {
        name: "openai/ft:gpt-4o",
        reason: "A fine-tuned model has no fixed name to be found under.",
      },
    ],
    other_providers: [
      { name: "bedrock", entries: 148 },
      { name: "azure", entries: 92 },
      { name: "vertex_ai", entries: 61 },
    ],
  };
  for (const [index, model] of known.entries()) {
    const rates = rowOf(model, now).card?.rates ?? [];
    const percent = index % 5 === 1 ? 80 : index % 5 === 3 ? 112 : index === 2 ? 1 : 100;
    if (percent === 100 || rates.every(({ amount }) => amount === "0")) {
      preview.unchanged.push(model.target);
      continue;
    }
    const after = rates.map((rate) => scaled(rate, percent));
    preview.changed.push({
      target: model.target,
      changes: changesOf(rates, after, null),
      batch_percent_before: 100,
      batch_percent_after: index % 5 === 3 ? 50 : 100,
      suspicious:
        percent === 1 ? ["Every price falls by more than 90 %: a unit may have changed."] : [],
      notes:
        index % 5 === 3
          ? ["Reasoning is listed apart at the price of output and folded into it."]
          : [],
      cards: [imported(after)],
      in_use: model.in_use,
    });
  }
  return preview;
}

function newOf(
  target: string,
  isKnown: boolean,
  input: string,
  output: string,
  imported: (rates: PriceRate[]) => PriceCard,
): PriceImportPreview["new"][number] {
  return {
    target,
    known: isKnown,
    capabilities: ["chat"],
    cards: [imported([rateOf("input_tokens", input), rateOf("output_tokens", output)])],
    notes: [],
  };
}
