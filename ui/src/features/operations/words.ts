/** What the route editor says in words. */

import type { Code, Operation } from "@/bindings";
import type { DraftCard } from "./draft";

/** How a target is written everywhere: `provider/model`. */
export function targetName(target: { provider: string; model: string }): string {
  return `${target.provider}/${target.model}`;
}

/** When the chain moves on from one enabled card to the next. */
export const TRIP_CONDITION =
  "if it fails before the first token: rate limit, timeout, 5xx or no connection";

/** The line under a card that says what happens when it cannot answer. */
export function tripSentence(cards: readonly DraftCard[], index: number): string {
  const card = cards[index];
  const next = cards.slice(index + 1).find((candidate) => candidate.enabled);
  if (!card?.enabled) {
    return "skipped: switched off in this route";
  }
  if (!next) {
    return "last target: if it fails too, the client gets the error";
  }
  return `${TRIP_CONDITION}, ${targetName(next)} is tried`;
}

/** Spoken after a card moved. */
export function spokenMove(card: DraftCard, position: number, count: number): string {
  return `${targetName(card)} is now ${position} of ${count}`;
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

/** True when the error means that somebody else changed the object meanwhile. */
export function isConflict(code: Code): boolean {
  return code === "conflict";
}
