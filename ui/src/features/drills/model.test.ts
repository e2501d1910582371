import { describe, expect, it } from "vitest";
import type { Drill, DrillInput, Operation, Provider } from "@/bindings";
import {
  drillOperations,
  drillProblems,
  happening,
  leftWords,
  planWords,
  progressOf,
  shownUntil,
  simulatedModels,
} from "./model";

const INPUT: DrillInput = {
  model: "sim-chat",
  fault: "outage",
  percent: 100,
  seconds: 60,
  requests_per_second: 5,
  operation: "chat_message",
};

function drill(change: Partial<Drill> = {}): Drill {
  return {
    running: true,
    input: INPUT,
    started_at: "2026-11-21T14:00:00Z",
    ends_at: "2026-11-21T14:01:00Z",
    sent: 0,
    succeeded: 0,
    failed: 0,
    failed_over: 0,
    hop_ms_p50: null,
    hop_ms_max: null,
    opened_after_ms: null,
    verdict: "",
    ...change,
  };
}

const START = Date.parse("2026-11-21T14:00:00Z");

describe("what happens", () => {
  it("is told by the circuit first, then by the counts", () => {
    expect(happening(drill(), "healthy")).toContain("is made to fail");
    expect(happening(drill({ sent: 3, failed_over: 2 }), "healthy")).toContain("takes over");
    expect(happening(drill({ sent: 9, failed_over: 3 }), "open")).toContain("circuit is open");
    expect(happening(drill({ sent: 9 }), "cooling_down")).toContain("asked to wait");
  });

  it("ends with whether anybody noticed", () => {
    expect(happening(drill({ running: false, sent: 9 }), undefined)).toContain("noticed");
    expect(happening(drill({ running: false, sent: 9, failed: 2 }), undefined)).toContain(
      "2 requests failed",
    );
  });
});

describe("time", () => {
  it("runs from start to end and stands still after it", () => {
    expect(progressOf(drill(), START + 15_000)).toBe(0.25);
    expect(progressOf(drill(), START + 999_000)).toBe(1);
    expect(progressOf(drill({ running: false }), START)).toBe(1);
    expect(shownUntil(drill(), START + 999_000)).toBe(START + 60_000);
    expect(shownUntil(drill(), START)).toBe(START + 1_000);
    expect([START, START + 5_400, START + 99_000].map((now) => leftWords(drill(), now))).toEqual([
      "1 min 00 s",
      "55 s",
      "0 s",
    ]);
  });
});

describe("a plan", () => {
  it("is checked where it is typed, the share only where it counts", () => {
    expect(drillProblems(INPUT)).toEqual({});
    expect(drillProblems({ ...INPUT, percent: 0, requests_per_second: 51 })).toEqual({
      percent: "Between 1 and 100 percent.",
      rate: "At most 50 a second.",
    });
    expect(drillProblems({ ...INPUT, fault: "cut_streams", percent: 0 })).toEqual({});
  });

  it("offers simulated models that talk, and operations that are switched on", () => {
    const providers = [
      { kind: "openai", models: [{ name: "gpt", capabilities: ["chat"] }] },
      {
        kind: "simulator",
        models: [
          { name: "sim-chat", capabilities: ["chat"] },
          { name: "sim-embed", capabilities: ["embedding"] },
        ],
      },
    ] as Provider[];
    expect(simulatedModels(providers)).toEqual(["sim-chat"]);
    const operations = [
      { id: "a", enabled: true, capability: "chat" },
      { id: "b", enabled: false, capability: "chat" },
      { id: "c", enabled: true, capability: "speech" },
    ] as Operation[];
    expect(drillOperations(operations)).toEqual(["a"]);
  });

  it("reads as a line", () => {
    expect(planWords(INPUT)).toBe(
      "Outage of sim-chat for 1 min, 100 % of its calls, 5 requests/s as chat_message",
    );
  });
});
