import type {
  Operation,
  Provider,
  RouteRule,
  RouteTarget,
  TargetOption,
  Traffic,
} from "@/bindings";

type Row = [
  id: string,
  description: string,
  capability: string,
  criticality: string,
  targets: string[],
];

const ROWS: Row[] = [
  [
    "chat_message",
    "Answers a person in a conversation.",
    "chat",
    "high",
    ["deepseek/deepseek-chat", "openai/gpt-5-mini", "simulator/echo"],
  ],
  [
    "agent_execution",
    "Runs one step of an agent with tools.",
    "chat",
    "high",
    ["anthropic/claude-sonnet-4-5", "openai/gpt-5.2"],
  ],
  [
    "memory_synthesis",
    "Condenses a conversation into lasting notes.",
    "chat",
    "medium",
    ["deepseek/deepseek-chat", "gemini/gemini-2.5-flash"],
  ],
  [
    "sentiment_analysis",
    "Rates the mood of a text.",
    "chat",
    "low",
    ["deepseek/deepseek-chat", "simulator/echo"],
  ],
  [
    "video_understanding",
    "Describes what happens in a video.",
    "vision",
    "medium",
    ["gemini/gemini-2.5-flash"],
  ],
  [
    "audio_transcription",
    "Turns speech into text.",
    "transcription",
    "medium",
    ["deepgram/nova-3", "openai/gpt-4o-transcribe"],
  ],
  [
    "text_to_speech",
    "Reads a text aloud.",
    "speech",
    "low",
    ["edge_tts/edge-neural", "elevenlabs/eleven_flash_v2_5"],
  ],
  [
    "email_analysis",
    "Sorts and summarises incoming mail.",
    "chat",
    "medium",
    ["deepseek/deepseek-chat"],
  ],
  [
    "intent_classification",
    "Decides what a message asks for.",
    "chat",
    "medium",
    ["openai/gpt-5-mini", "deepseek/deepseek-chat"],
  ],
  [
    "job_planning",
    "Plans a job as a list of HTTP calls.",
    "chat",
    "high",
    ["anthropic/claude-sonnet-4-5", "deepseek/deepseek-reasoner"],
  ],
];

const AGENT_RULES: RouteRule[] = [
  {
    name: "Pictures",
    when: "has_images",
    effect: "only",
    targets: ["openai/gpt-5.2"],
  },
  {
    name: "Research team",
    when: '"team" in tags && tags["team"] == "research"',
    effect: "prefer",
    targets: ["anthropic/claude-sonnet-4-5"],
  },
];

type Settings = Pick<
  Operation,
  | "strategy"
  | "balance"
  | "rules"
  | "deadline_ms"
  | "cache_ttl_s"
  | "allowed_providers"
  | "approval"
>;

const PLAIN: Settings = {
  strategy: "priority",
  balance: { cost: 50, latency: 30, quality: 20 },
  rules: [],
  deadline_ms: null,
  cache_ttl_s: null,
  allowed_providers: [],
  approval: null,
};

/** What some operations have besides a chain, so that every kind is to be seen. */
const SETTINGS: Readonly<Record<string, Partial<Settings>>> = {
  agent_execution: {
    strategy: "balanced",
    rules: AGENT_RULES,
    deadline_ms: 90_000,
    approval: {
      always: false,
      above: "500000000",
      budget_warned: false,
      rule: null,
      hold_s: 60,
      expires_s: 86_400,
    },
  },
  memory_synthesis: { strategy: "cheapest" },
  sentiment_analysis: { strategy: "cheapest", cache_ttl_s: 86_400 },
  intent_classification: { strategy: "weighted", cache_ttl_s: 3_600 },
  job_planning: { strategy: "quality", allowed_providers: ["anthropic", "deepseek"] },
};

export function makeOperations(
  providers: readonly Provider[],
  nowMs: number,
  traffic: boolean,
): Operation[] {
  return ROWS.map(([id, description, capability, criticality, targets], index) => {
    const busy = traffic && capability === "chat" && id !== "email_analysis";
    return {
      id,
      description,
      capability,
      criticality,
      enabled: id !== "email_analysis",
      batch_eligible: criticality !== "high",
      cacheable: criticality === "low",
      ...PLAIN,
      ...SETTINGS[id],
      version: 1 + (index % 4),
      targets: targets.map((target, place) => ({
        ...routeTarget(
          providers,
          target,
          busy ? (place === 0 ? 0.93 : place === 1 ? 0.07 : 0) : null,
        ),
        weight: id === "intent_classification" ? (place === 0 ? 80 : 20) : 1,
        ...(id === "chat_message" && place === 0 ? timed(20_000) : {}),
      })),
      last_24h: busy ? trafficOf(index) : NO_TRAFFIC,
      changed_at: index % 3 === 0 ? new Date(nowMs - (index + 1) * 5_400_000).toISOString() : null,
    };
  });
}

/** More operations than fit, with names and chains that do not fit either. */
export function manyOperations(known: readonly Operation[]): Operation[] {
  return Array.from({ length: 40 }, (_, index) => {
    const model = known[index % known.length];
    if (!model) throw new Error("The made-up world has no operations.");
    const several = known.flatMap((operation) => operation.targets).slice(0, 2 + (index % 9));
    const chain = [...new Map(several.map((card) => [`${card.provider}/${card.model}`, card]))];
    return {
      ...model,
      id: `${model.id}_for_the_department_of_very_long_names_${index + 1}`,
      description: `${model.description} This one was made for a team that writes long descriptions.`,
      targets: chain.map(([, card]) => card),
      rules: [],
    };
  });
}

const NO_TRAFFIC: Traffic = { requests: 0, failed: 0, spend: "0", latency_ms_p95: null };

function trafficOf(index: number): Traffic {
  return {
    requests: 830 - index * 62,
    failed: index * 2,
    spend: String(910_233_410 - index * 71_000_003),
    latency_ms_p95: 1840 + index * 120,
  };
}

function timed(timeout: number): Pick<RouteTarget, "timeout_ms" | "trip"> {
  return { timeout_ms: timeout, trip: trip(timeout) };
}

/** When the next target takes over, as the backend words it. */
export function trip(timeout: number | null): string {
  const late =
    timeout === null
      ? "does not answer in time"
      : `does not begin to answer within ${timeout / 1000} s`;
  return `if it fails or is overloaded, ${late}, or its circuit is open`;
}

export function routeTarget(
  providers: readonly Provider[],
  target: string,
  share: number | null,
): RouteTarget {
  const slash = target.indexOf("/");
  const provider = providers.find((candidate) => candidate.name === target.slice(0, slash));
  return {
    provider: target.slice(0, slash),
    model: target.slice(slash + 1),
    enabled: true,
    weight: 1,
    timeout_ms: null,
    max_output: null,
    trip: trip(null),
    ready: provider?.ready ?? {
      ready: false,
      code: "not_found",
      text: "There is no such provider.",
    },
    share_24h: share,
  };
}

/** Quality in tenths, and the usual time to an answer in milliseconds. */
const QUALITIES: Readonly<Record<string, [quality: number, latency: number | null]>> = {
  "deepseek-chat": [78, 1_240],
  "deepseek-reasoner": [86, 8_400],
  "gpt-5.2": [95, 2_150],
  "gpt-5-mini": [82, 690],
  "claude-sonnet-4-5": [94, 1_870],
  "claude-haiku-4-5": [83, 540],
  "gemini-2.5-flash": [80, 610],
  "mistral-medium-3": [76, null],
};

export function targetOptions(providers: readonly Provider[], traffic: boolean): TargetOption[] {
  return providers.flatMap((provider) =>
    provider.models.map((model) => {
      const [quality, latency] = QUALITIES[model.name] ?? [null, null];
      return {
        provider: provider.name,
        model: model.name,
        capabilities: model.capabilities,
        context_window: model.context_window,
        input_per_mtok: model.input_per_mtok,
        output_per_mtok: model.output_per_mtok,
        simulated: provider.kind === "simulator",
        quality,
        latency_ms_p50: traffic && provider.ready.ready ? latency : null,
        ready: provider.ready,
      };
    }),
  );
}
