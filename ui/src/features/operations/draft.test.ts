import { describe, expect, it } from "vitest";
import type { Operation } from "@/bindings";
import {
  countChanges,
  type DraftAction,
  isDirty,
  reduceDraft,
  startDraft,
  toRouteDraft,
} from "./draft";

const ready = { ready: true, code: "ready", text: "Ready" };

const card = (provider: string, enabled = true) => ({
  provider,
  model: "m",
  enabled,
  weight: 1,
  timeout_ms: null,
  max_output: null,
});

function operation(...names: string[]): Operation {
  return {
    id: "chat_message",
    description: "",
    capability: "chat",
    criticality: "high",
    enabled: true,
    batch_eligible: false,
    cacheable: false,
    strategy: "priority",
    balance: { cost: 50, latency: 30, quality: 20 },
    rules: [],
    deadline_ms: null,
    cache_ttl_s: null,
    allowed_providers: [],
    approval: null,
    version: 3,
    targets: names.map((name) => ({
      ...card(name),
      trip: "",
      ready,
      share_24h: null,
    })),
    last_24h: { requests: 0, failed: 0, spend: "0", latency_ms_p95: null },
    changed_at: null,
  };
}

function after(start: Operation, ...actions: DraftAction[]) {
  return actions.reduce(reduceDraft, startDraft(start));
}

const names = (draft: ReturnType<typeof startDraft>) =>
  draft.present.cards.map((card) => card.provider).join("");

describe("reduceDraft", () => {
  it("moves, adds, removes and switches targets", () => {
    const draft = after(
      operation("a", "b"),
      { type: "move", id: 1, to: 0 },
      { type: "add", provider: "c", model: "m" },
      { type: "add", provider: "d", model: "m" },
      { type: "remove", id: 1 },
      { type: "toggleTarget", id: 2 },
    );
    expect(names(draft)).toBe("acd");
    expect(draft.present.cards.map((card) => card.enabled)).toEqual([true, false, true]);
    expect(new Set(draft.present.cards.map((card) => card.id)).size).toBe(3);
  });

  it("undoes and redoes each step, and forgets the redo on a new edit", () => {
    const edited = after(
      operation("a", "b"),
      { type: "move", id: 0, to: 1 },
      { type: "remove", id: 1 },
    );
    const undone = reduceDraft(edited, { type: "undo" });
    expect(names(undone)).toBe("ba");
    expect(names(reduceDraft(undone, { type: "redo" }))).toBe("a");
    const forked = reduceDraft(undone, { type: "set", change: { enabled: false } });
    expect(reduceDraft(forked, { type: "redo" })).toBe(forked);
  });

  it("can undo a discard", () => {
    const draft = after(operation("a", "b"), { type: "remove", id: 0 }, { type: "discard" });
    expect(isDirty(draft)).toBe(false);
    expect(names(reduceDraft(draft, { type: "undo" }))).toBe("b");
  });

  it("does not spend an undo step on an action without effect", () => {
    const start = startDraft(operation("a", "b"));
    expect(reduceDraft(start, { type: "move", id: 0, to: -5 })).toBe(start);
    expect(reduceDraft(start, { type: "remove", id: 99 })).toBe(start);
    expect(reduceDraft(start, { type: "undo" })).toBe(start);
    expect(reduceDraft(start, { type: "set", change: { enabled: true } })).toBe(start);
  });

  it("keeps the edits when rebased on a newer version", () => {
    const draft = after(
      operation("a", "b"),
      { type: "remove", id: 0 },
      {
        type: "rebase",
        operation: { ...operation("a", "b", "c"), version: 4 },
      },
    );
    expect(draft.baseVersion).toBe(4);
    expect(names(draft)).toBe("b");
    expect(countChanges(draft)).toBe(2);
    expect(toRouteDraft(draft, "  because ")).toMatchObject({ base_version: 4, reason: "because" });
    expect(toRouteDraft(draft, " ").reason).toBeNull();
  });

  it("starts over from the newer version when that one is taken", () => {
    const draft = after(
      operation("a", "b"),
      { type: "remove", id: 0 },
      { type: "restart", operation: { ...operation("c"), version: 9 } },
    );
    expect(names(draft)).toBe("c");
    expect([draft.baseVersion, isDirty(draft), draft.past.length]).toEqual([9, false, 0]);
  });
});

describe("countChanges", () => {
  it("counts what a person would count", () => {
    const start = operation("a", "b", "c");
    expect(countChanges(after(start))).toBe(0);
    expect(countChanges(after(start, { type: "move", id: 2, to: 0 }))).toBe(1);
    expect(countChanges(after(start, { type: "remove", id: 0 }))).toBe(1);
    expect(countChanges(after(start, { type: "retarget", id: 0, provider: "z", model: "m" }))).toBe(
      1,
    );
    expect(
      countChanges(
        after(start, { type: "move", id: 2, to: 0 }, { type: "set", change: { enabled: false } }),
      ),
    ).toBe(2);
  });

  it("sees no change when the old state is restored by hand", () => {
    const start = operation("a", "b");
    expect(
      countChanges(
        after(start, { type: "remove", id: 1 }, { type: "add", provider: "b", model: "m" }),
      ),
    ).toBe(0);
    expect(
      countChanges(after(start, { type: "move", id: 1, to: 0 }, { type: "move", id: 1, to: 1 })),
    ).toBe(0);
  });
});

describe("settings, cards and rules", () => {
  const rule = { name: "Short", when: "input_tokens < 500", effect: "prefer", targets: ["a/m"] };

  it("typing in one field is one undo step, and another field is another", () => {
    const start = startDraft(operation("a", "b"));
    const typed = [2_000, 20_000, 200_000].reduce(
      (draft, timeout_ms) => reduceDraft(draft, { type: "setCard", id: 0, change: { timeout_ms } }),
      start,
    );
    const both = reduceDraft(typed, { type: "set", change: { deadline_ms: 9_000 } });
    expect(both.past).toHaveLength(2);
    const undone = reduceDraft(reduceDraft(both, { type: "undo" }), { type: "undo" });
    expect(isDirty(undone)).toBe(false);
  });

  it("what was typed and taken back by hand leaves nothing to undo", () => {
    const draft = after(
      operation("a"),
      { type: "setCard", id: 0, change: { timeout_ms: 2_000 } },
      { type: "setCard", id: 0, change: { timeout_ms: null } },
    );
    expect(draft.past).toHaveLength(0);
  });

  it("a duplicate stands below its model and has its settings", () => {
    const draft = after(
      operation("a", "b"),
      { type: "setCard", id: 0, change: { timeout_ms: 2_000, weight: 7 } },
      { type: "add", provider: "c", model: "m", like: 0 },
    );
    expect(names(draft)).toBe("acb");
    expect(draft.present.cards[1]).toMatchObject({ timeout_ms: 2_000, weight: 7 });
    expect(new Set(draft.present.cards.map(({ id }) => id)).size).toBe(3);
  });

  it("rules are added, edited, ordered and removed, each as a step of its own", () => {
    const draft = after(
      operation("a", "b"),
      { type: "addRule", rule },
      { type: "addRule", rule: { ...rule, name: "Long" } },
      { type: "moveRule", id: 3, to: 0 },
      { type: "setRule", id: 2, change: { effect: "only" } },
      { type: "setRule", id: 2, change: { targets: ["b/m"] } },
    );
    expect(draft.present.rules.map(({ name }) => name)).toEqual(["Long", "Short"]);
    expect(draft.past).toHaveLength(5);
    expect(countChanges(draft)).toBe(2);
    const removed = reduceDraft(draft, { type: "removeRule", id: 3 });
    expect(toRouteDraft(removed).rules).toEqual([{ ...rule, effect: "only", targets: ["b/m"] }]);
  });

  it("what is sent has every setting and none of our own marks", () => {
    const draft = after(operation("a"), {
      type: "set",
      change: { strategy: "balanced", cache_ttl_s: 60, allowed_providers: ["a"] },
    });
    expect(toRouteDraft(draft)).toEqual({
      operation: "chat_message",
      base_version: 3,
      enabled: true,
      strategy: "balanced",
      balance: { cost: 50, latency: 30, quality: 20 },
      rules: [],
      deadline_ms: null,
      cache_ttl_s: 60,
      allowed_providers: ["a"],
      approval: null,
      targets: [card("a")],
      reason: null,
    });
    expect(countChanges(draft)).toBe(3);
  });

  it("a template fills the chain in one step", () => {
    const draft = after(
      operation("a"),
      { type: "remove", id: 0 },
      {
        type: "fill",
        strategy: "cheapest",
        targets: [
          { provider: "x", model: "m" },
          { provider: "y", model: "m" },
        ],
      },
    );
    expect(names(draft)).toBe("xy");
    expect(draft.present.strategy).toBe("cheapest");
    expect(names(reduceDraft(draft, { type: "undo" }))).toBe("");
  });

  it("keeps rules when rebased, counted against the newer version", () => {
    const theirs = { ...operation("a"), version: 4, rules: [{ ...rule, when: "has_images" }] };
    const draft = after(
      { ...operation("a"), rules: [rule] },
      { type: "setRule", id: 1, change: { effect: "only" } },
      { type: "rebase", operation: theirs },
    );
    expect(draft.present.rules[0]).toMatchObject({ when: "input_tokens < 500", effect: "only" });
    expect(countChanges(draft)).toBe(1);
  });
});
