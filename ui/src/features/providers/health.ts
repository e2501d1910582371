/** What the Providers screen derives from health. */

import type { HealthState, Provider, ProviderHealth, RateHeadroom, TargetHealth } from "@/bindings";
import { formatCount, plural } from "@/lib/numbers";
import { providerState } from "./model";

/**
 * The state a card shows: what a person has to do first (switch on, give a key) comes before how the calls went, and a failed
 * check stands until calls tell something worse.
 */
export function shownHealth(
  provider: Provider,
  health: ProviderHealth | undefined,
): HealthState | undefined {
  const state = providerState(provider);
  if (!health || health.state === "off") return undefined;
  if (state === "ready") return health.state;
  return state === "failed_check" && isTrouble(health.state) ? health.state : undefined;
}

/** Whether requests go elsewhere because of it. */
export function isTrouble(state: HealthState): boolean {
  return ["open", "held", "credential_bad", "cooling_down", "probing"].includes(state);
}

/** Targets that were called lately, and those a person has to know about; the others are only counted. */
export function notableTargets(targets: readonly TargetHealth[]): TargetHealth[] {
  return targets.filter(
    ({ rank, state }) => rank !== null || (state !== "idle" && state !== "off"),
  );
}

/** The sentence under the word. "Healthy" needs no repeating: how many calls it rests on says more. */
export function healthSentence({
  state,
  text,
  window,
}: Pick<TargetHealth, "state" | "text" | "window">): string {
  if (state !== "healthy") return text;
  const calls = window.succeeded + window.failed;
  if (calls === 0) return text;
  return `${formatCount(window.succeeded)} of the ${plural(calls, "call")} of the last ${formatCount(window.minutes)} min ${window.succeeded === 1 ? "was" : "were"} answered.`;
}

export type HeadroomPart = { words: string; share: number | undefined };

/** `4,812 of 5,000 requests`, and the same of tokens, as far as the provider said. */
export function headroomParts(headroom: RateHeadroom): HeadroomPart[] {
  return [
    ...part(headroom.requests_left, headroom.requests_limit, "requests"),
    ...part(headroom.tokens_left, headroom.tokens_limit, "tokens"),
  ];
}

function part(left: number | null, limit: number | null, what: string): HeadroomPart[] {
  if (left === null) return [];
  if (limit === null || limit === 0)
    return [{ words: `${formatCount(left)} ${what}`, share: undefined }];
  const words = `${formatCount(left)} of ${formatCount(limit)} ${what}`;
  return [{ words, share: Math.min(left / limit, 1) }];
}

/** Below this share of a limit the rest is soon gone. */
export const HEADROOM_LOW = 0.1;

/** Whether somebody holds it open; then a reset can be taken back by holding it again. */
export function isHeld(target: Pick<TargetHealth, "state">): boolean {
  return target.state === "held";
}
