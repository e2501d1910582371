import { expect, test } from "vitest";
import type { CircuitEvent, HealthMinute } from "@/bindings";
import { prepareCircuit } from "./prepareCircuit";
import { prepareStrip } from "./prepareStrip";

function step(second: number, from: string, to: string): CircuitEvent {
  const at = new Date(second * 1_000).toISOString();
  return {
    id: `${second}`,
    at,
    provider: "a",
    model: "b",
    from,
    to,
    cause: "",
    actor: null,
    calls: [],
  };
}

const minute = (succeeded: number, failed: number): HealthMinute => ({
  at: "2026-11-21T14:00:00Z",
  succeeded,
  failed,
});

const shape = (events: CircuitEvent[], from: number, to: number) =>
  prepareCircuit(events, from * 1_000, to * 1_000).map(({ state, share }) => [state, share]);

test("a circuit's hour has no gaps, whatever order its steps come in", () => {
  const steps = [step(50, "open", "half_open"), step(20, "closed", "open")];
  expect(shape(steps, 0, 100)).toEqual([
    ["closed", 0.2],
    ["open", 0.3],
    ["half_open", 0.5],
  ]);
});

test("what happened before the time shown says how it begins", () => {
  expect(shape([step(10, "closed", "held")], 20, 30)).toEqual([["held", 1]]);
  expect(shape([], 0, 10)).toEqual([["closed", 1]]);
});

test("a step after the time shown does not colour it", () => {
  expect(shape([step(90, "closed", "open")], 0, 60)).toEqual([["closed", 1]]);
});

test("a minute without calls has no share of failures, not a share of zero", () => {
  const strip = prepareStrip([minute(0, 0), minute(3, 1), minute(2, 0)]);
  expect(strip.bars.map((bar) => bar.failedShare)).toEqual([undefined, 0.25, 0]);
  expect([strip.succeeded, strip.failed]).toEqual([5, 1]);
});
