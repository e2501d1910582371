/** What the route editor says in words. */

import type {
  ApprovalPolicy,
  Balance,
  Operation,
  Readiness,
  RouteRule,
  TargetOption,
} from "@/bindings";
import { formatMoneyExact, formatMoneyRow } from "@/lib/money";
import { plural } from "@/lib/numbers";
import { strategyWords } from "@/lib/strategies";
import type { DraftCard } from "./draft";

/** How a target is written everywhere: `provider/model`. */
export function targetName(target: { provider: string; model: string }): string {
  return `${target.provider}/${target.model}`;
}

/** `cost 50 %, time 30 %, quality 20 %`. */
export function balanceText({ cost, latency, quality }: Balance): string {
  return `cost ${cost} %, time ${latency} %, quality ${quality} %`;
}

type Settings = Pick<Operation, "strategy" | "balance" | "deadline_ms" | "cache_ttl_s"> & {
  rules: readonly RouteRule[];
  allowed_providers: readonly string[];
  approval: ApprovalPolicy | null;
};

/** What holds for a route as a whole, in a line. */
export function settingsText(settings: Settings): string {
  const { strategy, balance, rules, deadline_ms, cache_ttl_s, allowed_providers, approval } =
    settings;
  return [
    `Picked: ${strategyWords(strategy).word.toLowerCase()}${strategy === "balanced" ? ` (${balanceText(balance)})` : ""}`,
    rules.length === 0 ? "" : `rules: ${rules.map((rule) => rule.name).join(", ")}`,
    deadline_ms === null ? "" : `deadline ${deadline_ms / 1000} s`,
    cache_ttl_s === null ? "" : `cached for ${secondsText(cache_ttl_s)}`,
    allowed_providers.length === 0 ? "" : `only ${allowed_providers.join(", ")}`,
    approval === null ? "" : `approved by a person ${approvalWhen(approval)}`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

/** `always`, `above $0.50`, `above $0.50 or when estimate_usd > 1`. */
export function approvalWhen(policy: ApprovalPolicy): string {
  if (policy.always) return "always";
  const when = [
    policy.above === null ? "" : `above ${formatMoneyExact(policy.above)}`,
    policy.budget_warned ? "after a budget's warning" : "",
    policy.rule === null ? "" : `when ${policy.rule}`,
  ].filter((part) => part !== "");
  return when.length === 0 ? "never" : when.join(" or ");
}

/** When the next target takes over. The backend words the applied route the same way. */
export function tripCondition(card: { timeout_ms: number | null }): string {
  const late =
    card.timeout_ms === null
      ? "does not answer in time"
      : `does not begin to answer within ${card.timeout_ms / 1000} s`;
  return `if it fails or is overloaded, ${late}, or its circuit is open`;
}

/** The line under a card that says what happens when it cannot answer. */
export function tripSentence(cards: readonly DraftCard[], index: number, strategy: string): string {
  const card = cards[index];
  if (!card?.enabled) {
    return "Skipped: switched off in this route";
  }
  const others = cards.filter((other) => other.enabled && other !== card);
  const next =
    strategy === "priority"
      ? cards.slice(index + 1).find((candidate) => candidate.enabled)
      : others[0];
  if (!next) {
    return others.length === 0
      ? "The only target: if it fails, the client gets the error"
      : "Last target: if it fails too, the client gets the error";
  }
  const condition = capitalise(tripCondition(card));
  if (strategy !== "priority") {
    return `${condition}: on to ${strategyWords(strategy).next}`;
  }
  return `${condition}: ${next === cards[index + 1] ? "next" : `on to ${targetName(next)}`}`;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a rule does, as a sentence. */
export function ruleSentence(rule: Pick<RouteRule, "effect" | "targets">): string {
  const { effect, targets } = rule;
  if (targets.length === 0) return "Choose at least one target below.";
  const names = targets.join(", ");
  return effect === "only"
    ? `When it holds, only ${names} may answer. If ${targets.length === 1 ? "it cannot" : "none of them can"}, the request fails.`
    : `When it holds, ${names} ${targets.length === 1 ? "is" : "are"} tried first; the others remain.`;
}

/** Spoken after a card moved. */
export function spokenMove(card: DraftCard, position: number, count: number): string {
  return `${targetName(card)}, ${position} of ${count}`;
}

/** Share of traffic for a person: whole percent, but never 0 % for something or 100 % for not quite everything. */
export function shareText(share: number | null | undefined): string {
  return share === null || share === undefined
    ? "no traffic in 24 h"
    : `${wholePercent(share)} of 24 h`;
}

/** `7 %`, and never a round 0 % or 100 % for what is not. */
export function wholePercent(share: number): string {
  if (share > 0 && share < 0.01) {
    return "< 1 %";
  }
  if (share > 0.99 && share < 1) {
    return "> 99 %";
  }
  return `${Math.round(share * 100)} %`;
}

/** Failed share of an operation's last 24 hours, 0..1; absent without traffic. */
export function errorRate(traffic: Operation["last_24h"]): number | undefined {
  return traffic.requests === 0 ? undefined : traffic.failed / traffic.requests;
}

/** What a thousand requests of the last 24 hours cost, in nano-dollars; absent without traffic. */
export function costPerThousand(traffic: Operation["last_24h"]): string | undefined {
  if (traffic.requests === 0) return undefined;
  return ((BigInt(traffic.spend) * 1000n) / BigInt(traffic.requests)).toString();
}

const CAPABILITIES: Readonly<Record<string, string>> = {
  chat: "Chat",
  embedding: "Embedding",
  transcription: "Transcription",
  speech: "Speech",
  vision: "Vision",
};

export function capabilityLabel(capability: string): string {
  return CAPABILITIES[capability] ?? capability;
}

const CRITICALITIES: Readonly<Record<string, string>> = {
  low: "Low",
  medium: "Medium",
  high: "High",
};

export function criticalityLabel(criticality: string): string {
  return CRITICALITIES[criticality] ?? criticality;
}

const READINESS_WORDS: Readonly<Record<string, string>> = {
  ready: "Ready",
  no_credential: "No key yet",
  provider_disabled: "Provider off",
  no_adapter: "Not supported yet",
};

/** Readiness in a word or two, for a list of choices. */
export function readinessWord(ready: Readiness): string {
  return ready.ready ? "Ready" : (READINESS_WORDS[ready.code] ?? "Not ready");
}

/** What a target costs and how good and fast it is, for a list of choices. */
export function optionText(option: TargetOption): string {
  const { quality, latency_ms_p50: latency } = option;
  return [
    priceText(option),
    quality === null ? "" : `quality ${(quality / 10).toFixed(1)}`,
    latency === null
      ? ""
      : `usually ${latency < 1000 ? `${Math.round(latency)} ms` : `${(latency / 1000).toFixed(1)} s`}`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function priceText(option: TargetOption): string {
  const { input_per_mtok: input, output_per_mtok: output } = option;
  if (input === null && output === null) return "no price per token";
  return `${amount(input)} in / ${amount(output)} out per Mtok`;
}

function amount(value: string | null): string {
  return value === null ? "–" : formatMoneyRow(value);
}

/** The simulator stands in for chains of these when nothing in them is set up. */
export function isSimulatable(capability: string): boolean {
  return capability === "chat" || capability === "vision";
}

const UNITS = [
  { seconds: 86_400, word: "day" },
  { seconds: 3_600, word: "hour" },
  { seconds: 60, word: "minute" },
  { seconds: 1, word: "second" },
] as const;

export type TimeUnit = (typeof UNITS)[number]["word"];

/** Seconds in the largest unit that gives a whole number. */
export function splitSeconds(total: number): { amount: number; unit: TimeUnit } {
  const unit = UNITS.find(({ seconds }) => total >= seconds && total % seconds === 0);
  return unit
    ? { amount: total / unit.seconds, unit: unit.word }
    : { amount: total, unit: "second" };
}

export function toSeconds(count: number, unit: TimeUnit): number {
  return count * (UNITS.find(({ word }) => word === unit)?.seconds ?? 1);
}

/** `24 hours`, `1 day`, `90 seconds`. */
export function secondsText(total: number): string {
  const { amount: count, unit } = splitSeconds(total);
  return plural(count, unit);
}
