import type { Operation, Provider, RouteTarget, TargetOption } from "@/bindings";

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

export function makeOperations(providers: readonly Provider[], nowMs: number): Operation[] {
  return ROWS.map(([id, description, capability, criticality, targets], index) => ({
    id,
    description,
    capability,
    criticality,
    enabled: id !== "email_analysis",
    batch_eligible: criticality !== "high",
    cacheable: criticality === "low",
    strategy: "priority",
    version: 1 + (index % 4),
    targets: targets.map((target, place) =>
      routeTarget(providers, target, place === 0 ? 0.93 : place === 1 ? 0.07 : 0),
    ),
    last_24h:
      capability === "chat" && id !== "email_analysis"
        ? {
            requests: 830 - index * 62,
            failed: index * 2,
            spend: String(910_233_410 - index * 71_000_003),
            latency_ms_p95: 1840 + index * 120,
          }
        : { requests: 0, failed: 0, spend: "0", latency_ms_p95: null },
    changed_at: index % 3 === 0 ? new Date(nowMs - (index + 1) * 5_400_000).toISOString() : null,
  }));
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
    ready: provider?.ready ?? {
      ready: false,
      code: "not_found",
      text: "There is no such provider.",
    },
    share_24h: share,
  };
}

export function targetOptions(providers: readonly Provider[]): TargetOption[] {
  return providers.flatMap((provider) =>
    provider.models.map((model) => ({
      provider: provider.name,
      model: model.name,
      capabilities: model.capabilities,
      context_window: model.context_window,
      input_per_mtok: model.input_per_mtok,
      output_per_mtok: model.output_per_mtok,
      simulated: provider.kind === "simulator",
      ready: provider.ready,
    })),
  );
}
