/** How the made-up backend picks a target: rules first, then the strategy, as the real one does in the large. */

import type {
  CandidateView,
  DecisionView,
  Operation,
  RequestDetail,
  RouteDraft,
  SimulatedRequest,
  Tag,
  TargetOption,
} from "@/bindings";
import { formatMoneyRow } from "@/lib/money";
import { CelError, type CelValue, holds } from "./cel";

export type Features = Readonly<Record<string, CelValue>> & {
  input_tokens: number;
  max_output_tokens: number;
  has_images: boolean;
};

/** What nobody says how long it may get is estimated at this many tokens. */
const USUAL_OUTPUT = 4_096;

export function featuresOf(
  operation: string,
  request: SimulatedRequest,
  past: RequestDetail | undefined,
  now: Date,
): Features {
  const described = request.kind === "described" ? request : undefined;
  const text = described?.message ?? "";
  const input = past?.row.tokens_in ?? described?.input_tokens ?? Math.ceil(text.length / 4);
  const hasTools = described?.has_tools ?? false;
  const tags = past?.tags ?? described?.tags ?? [];
  return {
    input_tokens: input,
    max_output_tokens: described?.max_output_tokens ?? past?.row.tokens_out ?? USUAL_OUTPUT,
    has_images: described?.has_images ?? false,
    has_audio: false,
    has_tools: hasTools,
    json_output: false,
    streamed: past?.row.streamed ?? described?.streamed ?? false,
    user: past?.row.user ?? described?.user ?? "",
    operation,
    surface: past?.surface ?? "openai_chat",
    key: past?.row.key_name ?? "the window",
    tags: Object.fromEntries(tags.map(({ name, value }) => [name, value])),
    complexity: hasTools || input > 4_000 ? "complex" : input > 500 ? "moderate" : "simple",
    hour_utc: now.getUTCHours(),
    weekday_utc: ((now.getUTCDay() + 6) % 7) + 1,
  };
}

export function shownFeatures(features: Features): Tag[] {
  return Object.entries(features).map(([name, value]) => ({ name, value: JSON.stringify(value) }));
}

type Scored = { option: TargetOption | undefined; view: CandidateView; rank: number };

export function decide(
  operation: Operation,
  draft: RouteDraft,
  options: readonly TargetOption[],
  features: Features,
  now: Date,
): DecisionView {
  const rule = draft.rules.find((candidate) => matches(candidate.when, features));
  const candidates = draft.targets.map((card, place): Scored => {
    const option = options.find(
      (known) => known.provider === card.provider && known.model === card.model,
    );
    const named = rule?.targets.includes(`${card.provider}/${card.model}`) ?? false;
    const view: CandidateView = {
      provider: card.provider,
      model: card.model,
      verdict: "standby",
      order: null,
      reason_code: "standby",
      reason: "",
      until: null,
      score: null,
      estimate: option ? estimate(option, features, card.max_output) : null,
    };
    const rejection = card.enabled
      ? rejectionOf(operation, draft, option, features, now)
      : { code: "target_disabled", reason: "switched off in this route", until: null };
    if (rejection ?? (rule?.effect === "only" && !named)) {
      return {
        option,
        rank: 0,
        view: {
          ...view,
          verdict: "rejected",
          reason_code: rejection?.code ?? "rule",
          reason: rejection?.reason ?? `the rule “${rule?.name}” leaves only its own targets`,
          until: rejection?.until ?? null,
        },
      };
    }
    const { rank, score } = scoreOf(draft, place, option, view.estimate);
    return { option, rank: named ? rank - 1e12 : rank, view: { ...view, score } };
  });
  const order = candidates
    .filter(({ view }) => view.verdict !== "rejected")
    .toSorted((a, b) => a.rank - b.rank);
  const views = [
    ...order.map(({ view }, index): CandidateView => {
      const named = rule?.targets.includes(`${view.provider}/${view.model}`) ?? false;
      return {
        ...view,
        verdict: index === 0 ? "chosen" : "standby",
        order: index + 1,
        reason_code: index === 0 ? "first" : "standby",
        reason: named ? `named by the rule “${rule?.name}”` : (REASONS[draft.strategy] ?? "ready"),
      };
    }),
    ...candidates.filter(({ view }) => view.verdict === "rejected").map(({ view }) => view),
  ];
  return {
    strategy: draft.strategy,
    rule: rule?.name ?? null,
    summary: summaryOf(views, draft.strategy, rule?.name),
    candidates: views,
  };
}

const REASONS: Readonly<Record<string, string>> = {
  priority: "its place in the chain",
  cheapest: "estimated cost of this request",
  fastest: "usual time to an answer",
  quality: "quality score",
  balanced: "mix of cost, time and quality",
  weighted: "its share of the requests",
};

function summaryOf(views: readonly CandidateView[], strategy: string, rule?: string): string {
  const [first, second] = views.filter((view) => view.order !== null);
  if (!first) return "No target of this route could take the request.";
  const why = rule ? `the rule “${rule}”` : (REASONS[strategy] ?? strategy);
  const then = second ? `, then ${second.provider}/${second.model}` : "";
  return `${first.provider}/${first.model} by ${why}${then}.`;
}

function matches(when: string, features: Features): boolean {
  try {
    return holds(when, features);
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

type Rejection = { code: string; reason: string; until: string | null };

function no(code: string, reason: string, until: string | null = null): Rejection {
  return { code, reason, until };
}

function rejectionOf(
  operation: Operation,
  draft: RouteDraft,
  option: TargetOption | undefined,
  features: Features,
  now: Date,
): Rejection | undefined {
  if (!option) return no("model_unknown", "the provider has no model of this name here");
  if (!option.ready.ready) return no(option.ready.code, option.ready.text);
  if (draft.allowed_providers.length > 0 && !draft.allowed_providers.includes(option.provider))
    return no("not_allowed", "the data of this operation may not go to this provider");
  if (!option.capabilities.includes(operation.capability))
    return no("wrong_capability", "the model cannot do this kind of work");
  if (features.has_images && !option.capabilities.includes("vision"))
    return no("wrong_capability", "the model cannot see pictures");
  if (option.context_window !== null && features.input_tokens > option.context_window)
    return no("context_window", "the request is longer than the model's context window");
  if (option.provider === "gemini")
    return no(
      "circuit_open",
      "its circuit is open: 3 failures in 5 minutes",
      new Date(now.getTime() + 200_000).toISOString(),
    );
  return undefined;
}

/** The most a request can cost on a target, in nano-dollars. */
export function estimate(
  option: TargetOption,
  features: Features,
  maxOutput: number | null,
): string | null {
  const { input_per_mtok: input, output_per_mtok: output } = option;
  if (input === null || output === null) return null;
  const asked = features.max_output_tokens;
  const most = Math.min(asked, maxOutput ?? asked);
  const nano = BigInt(features.input_tokens) * BigInt(input) + BigInt(most) * BigInt(output);
  return (nano / 1_000_000n).toString();
}

function scoreOf(
  draft: RouteDraft,
  place: number,
  option: TargetOption | undefined,
  cost: string | null,
): { rank: number; score: string | null } {
  const latency = option?.latency_ms_p50 ?? null;
  const quality = option?.quality ?? null;
  switch (draft.strategy) {
    case "cheapest":
      return cost === null
        ? { rank: 1e11, score: "no price" }
        : { rank: Number(cost), score: formatMoneyRow(cost) };
    case "fastest":
      return latency === null
        ? { rank: 1e11, score: "not measured yet" }
        : { rank: latency, score: `${Math.round(latency)} ms` };
    case "quality":
      return quality === null
        ? { rank: 1e11, score: "no score" }
        : { rank: -quality, score: (quality / 10).toFixed(1) };
    case "balanced": {
      const mix =
        (draft.balance.cost / 100) * Math.min(Number(cost ?? 1e8) / 1e7, 1) +
        (draft.balance.latency / 100) * Math.min((latency ?? 1000) / 1000, 1) +
        (draft.balance.quality / 100) * (1 - (quality ?? 50) / 100);
      return { rank: mix, score: mix.toFixed(3) };
    }
    case "weighted": {
      const sum = draft.targets.reduce((all, card) => all + (card.enabled ? card.weight : 0), 0);
      const weight = draft.targets[place]?.weight ?? 0;
      return { rank: -weight, score: `${weight} of ${sum}` };
    }
    default:
      return { rank: place, score: `place ${place + 1}` };
  }
}
