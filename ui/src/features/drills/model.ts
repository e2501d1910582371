/** What the Drills screen derives from a drill. */

import type { Drill, DrillFault, DrillInput, HealthState, Operation, Provider } from "@/bindings";
import { formatDuration } from "@/lib/duration";
import { formatCount, plural } from "@/lib/numbers";

export type FaultWords = {
  fault: DrillFault;
  word: string;
  /** What the model does then, in a sentence. */
  says: string;
  /** Whether a share of the calls can be spared. */
  shared: boolean;
};

export const FAULTS: readonly [FaultWords, ...FaultWords[]] = [
  {
    fault: "outage",
    word: "Outage",
    says: "Every call fails at once with a server error.",
    shared: true,
  },
  {
    fault: "rate_limit",
    word: "Rate limit",
    says: "Calls are refused with a time to come back.",
    shared: true,
  },
  {
    fault: "slow_first_byte",
    word: "Slow first byte",
    says: "Answers begin so late that the route stops waiting.",
    shared: false,
  },
  {
    fault: "cut_streams",
    word: "Cut streams",
    says: "Streams break off in the middle of an answer.",
    shared: false,
  },
];

export function faultWords(fault: DrillFault): FaultWords {
  return FAULTS.find((known) => known.fault === fault) ?? FAULTS[0];
}

/** How long a drill may take, from a look to a long rehearsal. Units: seconds. */
export const LENGTHS: readonly { seconds: number; label: string }[] = [
  { seconds: 30, label: "30 s" },
  { seconds: 60, label: "1 min" },
  { seconds: 120, label: "2 min" },
  { seconds: 300, label: "5 min" },
  { seconds: 900, label: "15 min" },
  { seconds: 3_600, label: "1 h" },
];

/** Most requests a drill sends in a second. */
export const RATE_MAX = 50;

/** The simulated models that can go wrong: those that hold conversations. */
export function simulatedModels(providers: readonly Provider[]): string[] {
  return providers
    .filter((provider) => provider.kind === "simulator")
    .flatMap((provider) => provider.models)
    .filter((model) => model.capabilities.includes("chat"))
    .map((model) => model.name);
}

/** The name of the provider that simulates. */
export function simulatorName(providers: readonly Provider[]): string {
  return providers.find((provider) => provider.kind === "simulator")?.name ?? "simulator";
}

/** Operations a drill can run under: conversations that are switched on. */
export function drillOperations(operations: readonly Operation[]): string[] {
  return operations
    .filter(({ enabled, capability }) => enabled && ["chat", "vision"].includes(capability))
    .map(({ id }) => id);
}

export type Problems = Partial<Record<"model" | "operation" | "percent" | "rate", string>>;

/** What is wrong with a plan before it is sent. */
export function drillProblems(input: DrillInput): Problems {
  const { shared } = faultWords(input.fault);
  return {
    ...(input.model === "" ? { model: "Choose a simulated model." } : {}),
    ...(input.operation === "" ? { operation: "Choose an operation." } : {}),
    ...(shared && !(input.percent >= 1 && input.percent <= 100)
      ? { percent: "Between 1 and 100 percent." }
      : {}),
    ...(input.requests_per_second > RATE_MAX ? { rate: `At most ${RATE_MAX} a second.` } : {}),
  };
}

/** What happens right now, in a few big words. */
export function happening(drill: Drill, failing: HealthState | undefined): string {
  const { input, running, sent, failed, failed_over } = drill;
  if (!running) {
    if (sent === 0) return "The drill is over. It sent no requests of its own.";
    return failed === 0
      ? "The drill is over. Nobody would have noticed."
      : `The drill is over. ${plural(failed, "request")} failed.`;
  }
  if (failing === "open" || failing === "held")
    return `${input.model} is out. Its circuit is open, and the next target answers.`;
  if (failing === "cooling_down")
    return `${input.model} asked to wait, and the next target answers.`;
  if (failing === "probing") return `One call finds out whether ${input.model} is back.`;
  if (failed_over > 0) return `${input.model} fails, and the next target takes over.`;
  if (failed > 0) return `${input.model} fails in the middle of answers.`;
  return sent === 0 ? `${input.model} is made to fail.` : `${input.model} still answers.`;
}

/** How far a drill is, 0..1. */
export function progressOf(drill: Drill, nowMs: number): number {
  if (!drill.running) return 1;
  const start = Date.parse(drill.started_at);
  const whole = Math.max(Date.parse(drill.ends_at) - start, 1);
  return Math.min(Math.max((nowMs - start) / whole, 0), 1);
}

/** Until when its circuits are drawn: to its end, or to now while it goes on. */
export function shownUntil(drill: Drill, nowMs: number): number {
  const start = Date.parse(drill.started_at);
  const end = Math.min(Date.parse(drill.ends_at), nowMs);
  // A band of no length would show nothing.
  return Math.max(end, start + 1_000);
}

/** The plan in a line: `Outage of sim-chat for 1 min, 100 % of its calls, 5 requests/s under chat_message`. */
export function planWords(input: DrillInput): string {
  const { word, shared } = faultWords(input.fault);
  const share = shared ? `, ${formatCount(input.percent)} % of its calls` : "";
  const rate =
    input.requests_per_second === 0
      ? "no requests of its own"
      : `${formatCount(input.requests_per_second)} requests/s as ${input.operation}`;
  const length =
    LENGTHS.find(({ seconds }) => seconds === input.seconds)?.label ??
    formatDuration(input.seconds * 1_000);
  return `${word} of ${input.model} for ${length}${share}, ${rate}`;
}

/** How long it still goes on, in whole seconds: `54 s`, `4 min 05 s`. */
export function leftWords(drill: Drill, nowMs: number): string {
  const seconds = Math.max(Math.ceil((Date.parse(drill.ends_at) - nowMs) / 1_000), 0);
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1_000);
}
