import { describe, expect, it } from "vitest";
import type { HealthState, Provider, ProviderHealth, TargetHealth } from "@/bindings";
import { headroomParts, healthSentence, notableTargets, shownHealth } from "./health";

function provider(change: Partial<Provider> = {}): Provider {
  return {
    enabled: true,
    credential: { state: "set" },
    ready: { ready: true, code: "ready", text: "" },
    last_check: null,
    ...change,
  } as Provider;
}

const health = (state: HealthState) => ({ state }) as ProviderHealth;
const target = (model: string, rank: number | null, state: HealthState) =>
  ({ model, rank, state }) as TargetHealth;
const window = (succeeded: number, failed: number) =>
  ({ minutes: 5, succeeded, failed }) as TargetHealth["window"];
const badCheck = { ok: false, code: "invalid_key" } as Provider["last_check"];

describe("the state of a card", () => {
  it("is how its calls went, once it is ready", () => {
    expect(shownHealth(provider(), health("open"))).toBe("open");
    expect(shownHealth(provider(), health("idle"))).toBe("idle");
    expect(shownHealth(provider(), undefined)).toBeUndefined();
  });

  it("is what a person has to do first", () => {
    const missing = { state: "missing" } as Provider["credential"];
    expect(shownHealth(provider({ credential: missing }), health("open"))).toBeUndefined();
    expect(shownHealth(provider({ enabled: false }), health("off"))).toBeUndefined();
  });

  it("keeps a failed check until calls tell something worse", () => {
    expect(shownHealth(provider({ last_check: badCheck }), health("idle"))).toBeUndefined();
    expect(shownHealth(provider({ last_check: badCheck }), health("credential_bad"))).toBe(
      "credential_bad",
    );
  });
});

describe("the sentence", () => {
  it("says what a good state rests on, and leaves every other one as it was told", () => {
    const healthy = { state: "healthy", text: "Healthy." } as const;
    expect(healthSentence({ ...healthy, window: window(1_198, 2) })).toBe(
      "1,198 of the 1,200 calls of the last 5 min were answered.",
    );
    expect(healthSentence({ ...healthy, window: window(0, 0) })).toBe("Healthy.");
    expect(healthSentence({ state: "open", text: "It is out.", window: window(1, 0) })).toBe(
      "It is out.",
    );
  });
});

describe("targets", () => {
  it("that nobody called and nothing is wrong with are only counted", () => {
    const all = [target("a", 1, "healthy"), target("b", null, "idle"), target("c", null, "held")];
    expect(notableTargets(all).map(({ model }) => model)).toEqual(["a", "c"]);
  });
});

describe("headroom", () => {
  it("says what is left of which limit, and leaves out what the provider did not say", () => {
    const said = { resets_at: null, seen_at: "2026-11-21T14:00:00Z" };
    expect(
      headroomParts({
        ...said,
        requests_left: 31,
        requests_limit: 1_000,
        tokens_left: 18_400,
        tokens_limit: null,
      }),
    ).toEqual([
      { words: "31 of 1,000 requests", share: 0.031 },
      { words: "18,400 tokens", share: undefined },
    ]);
  });
});
