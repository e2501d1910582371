import type {
  AttemptView,
  CostLineView,
  Model,
  Operation,
  Provider,
  RequestDetail,
  RequestStatus,
} from "@/bindings";
import { createRandom, pick } from "./random";

const CHAT: readonly [string, ...string[]] = [
  "chat_message",
  "chat_message",
  "chat_message",
  "agent_execution",
  "agent_execution",
  "memory_synthesis",
  "sentiment_analysis",
  "intent_classification",
  "intent_classification",
  "job_planning",
];
const KEYS: readonly [string, ...string[]] = [
  "support-desk",
  "support-desk",
  "nightly-planner",
  "laptop of Ines",
];
const USERS: readonly [string | null, ...(string | null)[]] = [
  null,
  null,
  "ines",
  "tomasz",
  "u-4471",
];

/** Traffic of the last thirty days, denser towards now, with a working-day rhythm. */
export function makeRequests(
  operations: readonly Operation[],
  providers: readonly Provider[],
  count: number,
  nowMs: number,
): RequestDetail[] {
  const random = createRandom(20_261_121);
  const span = 30 * 86_400_000;
  const starts = Array.from(
    { length: count },
    () => nowMs - 2_000 - Math.floor(span * random() ** 3.2),
  );
  starts.sort((a, b) => b - a);
  return starts.map((start, index) =>
    makeRequest(random, operations, providers, start, index, nowMs),
  );
}

export function makeRequest(
  random: () => number,
  operations: readonly Operation[],
  providers: readonly Provider[],
  startMs: number,
  index: number,
  nowMs: number,
  forced?: { operation: string; simulator: boolean },
): RequestDetail {
  const operation =
    operations.find((candidate) => candidate.id === (forced?.operation ?? pick(random, CHAT))) ??
    operations[0];
  if (!operation) throw new Error("The made-up world has no operations.");
  const chain = operation.targets.filter((target) => target.ready.ready);
  const failsOver = !forced && random() < 0.06 && chain.length > 1;
  const toSimulator = forced?.simulator ?? random() < 0.03;
  const target = toSimulator
    ? { provider: "simulator", model: "echo" }
    : ((failsOver ? chain[1] : chain[0]) ?? { provider: "simulator", model: "echo" });
  const simulated = target.provider === "simulator";
  const roll = forced ? 1 : random();
  const status: RequestStatus =
    !forced && index < 3 && startMs > nowMs - 60_000
      ? "in_flight"
      : roll < 0.018
        ? "failed"
        : roll < 0.026
          ? "cancelled"
          : roll < 0.028
            ? "interrupted"
            : "succeeded";
  const tokensIn = Math.round(180 + random() ** 2 * 9_000);
  const cached = random() < 0.4 ? Math.round(tokensIn * 0.6) : 0;
  const tokensOut = status === "failed" ? 0 : Math.round(40 + random() ** 2 * 1_400);
  const model = providers
    .find((candidate) => candidate.name === target.provider)
    ?.models.find((candidate) => candidate.name === target.model);
  const isCached =
    operation.cache_ttl_s !== null && !forced && status === "succeeded" && index % 3 === 1;
  const unpriced = !simulated && random() < 0.012;
  const lines =
    unpriced || status === "failed" ? [] : costLines(model, tokensIn - cached, cached, tokensOut);
  const cost = lines.reduce((sum, line) => sum + BigInt(line.cost ?? "0"), 0n).toString();
  const latency = 240 + random() ** 2 * 5_200;
  const first = 120 + random() ** 2 * 900;
  const done = status !== "in_flight";
  const costStatus = unpriced
    ? "unpriced"
    : status === "interrupted" || random() < 0.02
      ? "estimated"
      : "exact";
  const known = done && !unpriced;
  const tried = makeAttempts(chain, target, failsOver, {
    status,
    latency,
    first,
    cost: known ? cost : null,
    costStatus,
    lines,
    model,
  });
  // An answer from the cache called nobody and cost nothing.
  const attempts = isCached ? [] : tried;
  return {
    row: {
      id: `req_01j${(startMs * 1_000 + index).toString(32).padStart(23, "0")}`,
      started_at: new Date(startMs).toISOString(),
      operation: operation.id,
      status,
      provider: target.provider,
      model: target.model,
      streamed: random() < 0.7,
      simulated,
      attempts: attempts.length,
      tokens_in: tokensIn,
      tokens_out: done ? tokensOut : 0,
      cost: isCached ? "0" : known ? cost : null,
      cost_status: isCached ? "exact" : done ? costStatus : null,
      latency_ms: isCached ? 1.8 : done ? latency : null,
      first_token_ms: isCached
        ? 1.6
        : done && status !== "failed"
          ? Math.min(first, latency)
          : null,
      key_name: forced ? "the window" : pick(random, KEYS),
      user: pick(random, USERS),
      error_code: status === "failed" ? "upstream_rate_limited" : null,
      cached: isCached,
      saved: isCached && known ? cost : null,
    },
    surface: random() < 0.8 ? "openai_chat" : "anthropic_messages",
    requested_model: `op:${operation.id}`,
    tags: random() < 0.3 ? [{ name: "ticket", value: "T-1042" }] : [],
    config_revision: "41",
    estimate: "4211000",
    decision: isCached
      ? {
          strategy: operation.strategy,
          rule: null,
          summary: "An identical request was answered before; no target was asked.",
          candidates: [],
        }
      : makeDecision(operation, target, failsOver ? chain[0] : undefined, startMs),
    attempts,
    finish_reason: status === "succeeded" ? "stop" : null,
    error_message:
      status === "failed"
        ? "The provider answered 429 (rate limit) and no other target was left."
        : null,
    payload: null,
  };
}

const SCORES: Readonly<Record<string, readonly string[]>> = {
  priority: ["place 1", "place 2", "place 3"],
  cheapest: ["$0.00021", "$0.00034", "$0.0011"],
  fastest: ["412 ms", "690 ms", "1.2 s"],
  quality: ["9.4", "8.6", "7.8"],
  balanced: ["0.214", "0.388", "0.402"],
  weighted: ["80 of 100", "20 of 100", "0 of 100"],
};

type Named = { provider: string; model: string };

function makeDecision(
  operation: Operation,
  target: Named,
  before: Named | undefined,
  startMs: number,
): RequestDetail["decision"] {
  const rule = operation.rules[startMs % 5 === 0 ? 1 : -1];
  const scores = SCORES[operation.strategy] ?? [];
  return {
    strategy: operation.strategy,
    rule: rule?.name ?? null,
    summary: before
      ? `${before.provider}/${before.model} came first but was rate limited, so ${target.provider}/${target.model} answered.`
      : `${target.provider}/${target.model} is the first target of ${operation.id} that is ready.`,
    candidates: operation.targets.map((candidate, place) => {
      const open = candidate.provider === "gemini" && place > 0 && target.provider !== "gemini";
      const able = candidate.ready.ready && !open;
      const chosen = candidate.provider === target.provider && candidate.model === target.model;
      return {
        provider: candidate.provider,
        model: candidate.model,
        verdict: chosen ? "chosen" : able ? "standby" : "rejected",
        order: able ? place + 1 : null,
        reason_code: open ? "circuit_open" : candidate.ready.code,
        reason: open
          ? "its circuit is open: 3 failures in 5 minutes"
          : able
            ? `Number ${place + 1} of the route and ready.`
            : candidate.ready.text,
        until: open ? new Date(startMs + 214_000).toISOString() : null,
        score: able ? (scores[place] ?? null) : null,
        estimate: able ? String(4_211_000 + place * 1_200_000) : null,
      };
    }),
  };
}

type Outcome = {
  status: RequestStatus;
  latency: number;
  first: number;
  cost: string | null;
  costStatus: "exact" | "estimated" | "unpriced";
  lines: CostLineView[];
  model: Model | undefined;
};

function makeAttempts(
  chain: readonly { provider: string; model: string }[],
  target: { provider: string; model: string },
  failsOver: boolean,
  outcome: Outcome,
): AttemptView[] {
  const firstMs = failsOver ? 180 : 2;
  const last: AttemptView = {
    ordinal: failsOver ? 2 : 1,
    provider: target.provider,
    model: target.model,
    outcome: outcome.status === "in_flight" ? "succeeded" : outcome.status,
    failure: outcome.status === "failed" ? "rate_limit" : null,
    http_status: outcome.status === "failed" ? 429 : 200,
    message:
      outcome.status === "failed"
        ? "Rate limit reached for requests per minute.\u200b Try again in 20 s."
        : null,
    started_ms: firstMs,
    first_token_ms:
      outcome.status === "failed"
        ? null
        : Math.max(firstMs, Math.min(outcome.first, outcome.latency)),
    finished_ms: outcome.latency,
    cost: outcome.cost,
    cost_status: outcome.costStatus,
    lines: outcome.lines,
    price_source: outcome.model?.price_source ?? null,
  };
  const before = chain[0];
  if (!failsOver || !before) return [last];
  return [
    {
      ...last,
      ordinal: 1,
      provider: before.provider,
      model: before.model,
      outcome: "failed",
      failure: "rate_limit",
      http_status: 429,
      message: "Rate limit reached for requests per minute.",
      started_ms: 2,
      first_token_ms: null,
      finished_ms: 171,
      cost: "0",
      cost_status: "exact",
      lines: [],
    },
    last,
  ];
}

function costLines(
  model: Model | undefined,
  fresh: number,
  cached: number,
  output: number,
): CostLineView[] {
  if (!model) return [];
  return [
    line("input_tokens", fresh, model.input_per_mtok),
    ...(cached > 0 ? [line("cached_input_tokens", cached, model.cached_input_per_mtok)] : []),
    line("output_tokens", output, model.output_per_mtok),
  ];
}

function line(unit: string, quantity: number, price: string | null): CostLineView {
  return {
    unit,
    quantity: String(quantity),
    price,
    per: "1000000",
    cost: price === null ? null : ((BigInt(quantity) * BigInt(price)) / 1_000_000n).toString(),
  };
}
