import { expect, it } from "vitest";
import {
  costPerThousand,
  ruleSentence,
  secondsText,
  settingsText,
  shareText,
  splitSeconds,
  spokenMove,
  toSeconds,
  tripSentence,
} from "./words";

const card = (id: number, provider: string, enabled = true, timeout_ms: number | null = null) => ({
  id,
  provider,
  model: "m",
  enabled,
  weight: 1,
  timeout_ms,
  max_output: null,
});
const cards = [card(0, "a", true, 20_000), card(1, "b", false), card(2, "c")];

it("says when the chain moves on and to which target that is switched on", () => {
  expect(tripSentence(cards, 0, "priority")).toBe(
    "If it fails or is overloaded, does not begin to answer within 20 s, or its circuit is open: on to c/m",
  );
  expect(tripSentence(cards.toSpliced(1, 1), 0, "priority")).toMatch(/open: next$/);
  expect(tripSentence(cards, 1, "priority")).toContain("switched off");
  expect(tripSentence(cards, 2, "priority")).toContain("the client gets the error");
});

it("names who takes over by the strategy, also after the last card", () => {
  expect(tripSentence(cards, 2, "cheapest")).toBe(
    "If it fails or is overloaded, does not answer in time, or its circuit is open: on to the next cheapest",
  );
  expect(tripSentence(cards.slice(0, 2), 0, "weighted")).toContain("The only target");
});

it("never rounds a share to nothing or to everything", () => {
  expect([null, 0, 0.004, 0.5, 0.999, 1].map(shareText)).toEqual([
    "no traffic in 24 h",
    "0 % of 24 h",
    "< 1 % of 24 h",
    "50 % of 24 h",
    "> 99 % of 24 h",
    "100 % of 24 h",
  ]);
});

it("speaks the new position", () => {
  expect(spokenMove(card(0, "a"), 1, 3)).toBe("a/m, 1 of 3");
});

it("says what a rule does to the others", () => {
  expect(ruleSentence({ effect: "prefer", targets: ["a/m", "b/m"] })).toBe(
    "When it holds, a/m, b/m are tried first; the others remain.",
  );
  expect(ruleSentence({ effect: "only", targets: ["a/m"] })).toBe(
    "When it holds, only a/m may answer. If it cannot, the request fails.",
  );
  expect(ruleSentence({ effect: "only", targets: [] })).toMatch(/at least one/);
});

it("durations go into the largest whole unit and back", () => {
  for (const seconds of [1, 59, 60, 90, 3_600, 86_400, 90_000, 2_592_000]) {
    const { amount, unit } = splitSeconds(seconds);
    expect(toSeconds(amount, unit)).toBe(seconds);
  }
  expect([60, 86_400, 90, 0].map(secondsText)).toEqual([
    "1 minute",
    "1 day",
    "90 seconds",
    "0 seconds",
  ]);
});

it("a thousand requests are priced from what was spent, exactly", () => {
  const traffic = { requests: 3, failed: 0, spend: "10", latency_ms_p95: null };
  expect(costPerThousand(traffic)).toBe("3333");
  expect(costPerThousand({ ...traffic, requests: 0 })).toBeUndefined();
});

it("the settings of a route fit in a line", () => {
  const settings = {
    strategy: "balanced",
    balance: { cost: 50, latency: 30, quality: 20 },
    rules: [{ name: "Short", when: "true", effect: "only", targets: [] }],
    deadline_ms: 90_000,
    cache_ttl_s: 3_600,
    allowed_providers: ["a", "b"],
    approval: null,
  };
  expect(settingsText(settings)).toBe(
    "Picked: balanced (cost 50 %, time 30 %, quality 20 %) · rules: Short · deadline 90 s · cached for 1 hour · only a, b",
  );
});
