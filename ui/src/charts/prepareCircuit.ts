import type { CircuitEvent } from "@/bindings";
import { type CircuitState, circuitState } from "@/lib/circuits";

export type CircuitSegment = {
  state: CircuitState;
  fromMs: number;
  toMs: number;
  /** 0..1 of the whole time shown. */
  share: number;
};

/** How a circuit stood over a time, without gaps. Steps come in any order. */
export function prepareCircuit(
  events: readonly CircuitEvent[],
  fromMs: number,
  toMs: number,
): CircuitSegment[] {
  const steps = events
    .map((event) => ({ at: Date.parse(event.at), from: event.from, to: event.to }))
    .toSorted((a, b) => a.at - b.at);
  const span = Math.max(toMs - fromMs, 1);
  const before = steps.findLast((step) => step.at <= fromMs);
  const inside = steps.filter((step) => step.at > fromMs && step.at < toMs);
  const segments: CircuitSegment[] = [];
  let state = circuitState(before?.to ?? inside[0]?.from ?? "closed");
  let since = fromMs;
  const close = (until: number) => {
    const last = segments.at(-1);
    if (last?.state === state) {
      last.toMs = until;
      last.share = (until - last.fromMs) / span;
    } else if (until > since || segments.length === 0) {
      segments.push({ state, fromMs: since, toMs: until, share: (until - since) / span });
    }
  };
  for (const step of inside) {
    close(step.at);
    state = circuitState(step.to);
    since = step.at;
  }
  close(toMs);
  return segments;
}
