import { describe, expect, test } from "vitest";
import type { Figures, GroupSeries, Overview } from "@/bindings";
import { assignSlots } from "./colours";
import { prepareSeries } from "./prepareSeries";

const FIGURES: Figures = {
  spend: "0",
  requests: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  simulated: 0,
  unpriced: 0,
  estimated: 0,
  tokens_in: "0",
  tokens_out: "0",
  latency_ms_p50: null,
  latency_ms_p95: null,
  first_token_ms_p50: null,
  first_token_ms_p95: null,
};

function group(key: string, spend: string[], simulated = false): GroupSeries {
  return { key, simulated, spend, requests: spend.map(() => 1), total: FIGURES };
}

function overview(groups: GroupSeries[], buckets = 2): Overview {
  return {
    figures: FIGURES,
    previous: FIGURES,
    bucket: "hour",
    buckets: Array.from({ length: buckets }, (_, hour) => `2026-11-21T0${hour}:00:00Z`),
    groups,
    at: "2026-11-21T02:00:00Z",
  };
}

describe("prepareSeries", () => {
  test("keeps exact nano-dollars past 2^53", () => {
    const chart = prepareSeries(overview([group("a", ["9007199254740993", "1"])]), "spend");
    expect(chart.total).toBe("9007199254740994");
    expect(chart.series[0]?.exact).toEqual(["9007199254740993", "1"]);
    expect(chart.peak).toEqual({ index: 0, value: "9007199254740993" });
  });

  test("shows the six largest and folds the others into one rest", () => {
    const groups = Array.from({ length: 9 }, (_, index) =>
      group(`g${index}`, [String(index + 1), "0"]),
    );
    const chart = prepareSeries(overview(groups), "spend");
    expect(chart.series.map((series) => series.label)).toEqual([
      "g8",
      "g7",
      "g6",
      "g5",
      "g4",
      "g3",
      "Other",
    ]);
    expect(chart.series.at(-1)?.total).toBe("6");
    expect(chart.folded).toBe(3);
    expect(chart.total).toBe("45");
  });

  test("leaves out groups that have nothing of the metric", () => {
    const groups = [group("real", ["5", "0"]), group("simulator", ["0", "0"], true)];
    expect(prepareSeries(overview(groups), "spend").series).toHaveLength(1);
    expect(prepareSeries(overview(groups), "requests").series).toHaveLength(2);
  });

  test("adds simulated and real rows of one key up", () => {
    const chart = prepareSeries(
      overview([group("a", ["1", "0"]), group("a", ["0", "2"], true)]),
      "spend",
    );
    expect(chart.series).toHaveLength(1);
    expect(chart.totals).toEqual(["1", "2"]);
  });

  test("has no peak when nothing happened", () => {
    expect(prepareSeries(overview([]), "spend").peak).toBeUndefined();
  });
});

describe("assignSlots", () => {
  test("gives a key the same colour whoever stands beside it, unless two want the same", () => {
    const alone = assignSlots(["deepseek"]).get("deepseek");
    expect(assignSlots(["deepseek", "gemini", "openai"]).get("deepseek")).toBe(alone);
  });

  test("never gives two keys of one chart the same colour", () => {
    const slots = assignSlots(["a", "b", "c", "d", "e", "f"]);
    expect(new Set(slots.values()).size).toBe(6);
  });
});
