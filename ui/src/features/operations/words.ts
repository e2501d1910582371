/** What the route editor says in words. */

import type { Operation, Readiness, TargetOption } from "@/bindings";
import { formatMoneyRow } from "@/lib/money";
import type { DraftCard } from "./draft";

/** How a target is written everywhere: `provider/model`. */
export function targetName(target: { provider: string; model: string }): string {
  return `${target.provider}/${target.model}`;
}

/** When the chain moves on from one enabled card to the next. */
const TRIP_CONDITION =
  "If it fails before the first token (rate limit, timeout, 5xx, no connection, bad key)";

/** The line under a card that says what happens when it cannot answer. */
export function tripSentence(cards: readonly DraftCard[], index: number): string {
  const card = cards[index];
  const next = cards.slice(index + 1).find((candidate) => candidate.enabled);
  if (!card?.enabled) {
    return "Skipped: switched off in this route";
  }
  if (!next) {
    return "Last target: if it fails too, the client gets the error";
  }
  return `${TRIP_CONDITION}: ${next === cards[index + 1] ? "next" : `on to ${targetName(next)}`}`;
}

/** Spoken after a card moved. */
export function spokenMove(card: DraftCard, position: number, count: number): string {
  return `${targetName(card)}, ${position} of ${count}`;
}

/** Share of traffic for a person: whole percent, but never 0 % for something or 100 % for not quite everything. */
export function shareText(share: number | null | undefined): string {
  if (share === null || share === undefined) {
    return "no traffic in 24 h";
  }
  if (share > 0 && share < 0.01) {
    return "< 1 % of 24 h";
  }
  if (share > 0.99 && share < 1) {
    return "> 99 % of 24 h";
  }
  return `${Math.round(share * 100)} % of 24 h`;
}

/** Failed share of an operation's last 24 hours, 0..1; absent without traffic. */
export function errorRate(traffic: Operation["last_24h"]): number | undefined {
  return traffic.requests === 0 ? undefined : traffic.failed / traffic.requests;
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

/** What a target costs, for a list of choices. */
export function priceText(option: TargetOption): string {
  const { input_per_mtok: input, output_per_mtok: output } = option;
  if (input === null && output === null) return "unpriced";
  return `${amount(input)} in / ${amount(output)} out per Mtok`;
}

function amount(value: string | null): string {
  return value === null ? "–" : formatMoneyRow(value);
}

/** The simulator stands in for chains of these when nothing in them is set up. */
export function isSimulatable(capability: string): boolean {
  return capability === "chat" || capability === "vision";
}
