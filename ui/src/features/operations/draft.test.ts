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
import { shareText, spokenMove, tripSentence } from "./words";

const ready = { ready: true, code: "ready", text: "Ready" };

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
    version: 3,
    targets: names.map((name) => ({
      provider: name,
      model: "m",
      enabled: true,
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
    const forked = reduceDraft(undone, { type: "setEnabled", enabled: false });
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
    expect(reduceDraft(start, { type: "setEnabled", enabled: true })).toBe(start);
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
        after(start, { type: "move", id: 2, to: 0 }, { type: "setEnabled", enabled: false }),
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

describe("words", () => {
  const cards = [
    { id: 0, provider: "a", model: "m", enabled: true },
    { id: 1, provider: "b", model: "m", enabled: false },
    { id: 2, provider: "c", model: "m", enabled: true },
  ];

  it("names the next target that is switched on", () => {
    expect(tripSentence(cards, 0)).toBe(
      "If it fails before the first token (rate limit, timeout, 5xx, no connection, bad key): on to c/m",
    );
    expect(tripSentence(cards.toSpliced(1, 1), 0)).toMatch(/bad key\): next$/);
    expect(tripSentence(cards, 1)).toContain("switched off");
    expect(tripSentence(cards, 2)).toContain("the client gets the error");
  });

  it("never rounds a share to nothing or to everything", () => {
    expect([
      shareText(null),
      shareText(0),
      shareText(0.004),
      shareText(0.5),
      shareText(0.999),
      shareText(1),
    ]).toEqual([
      "no traffic in 24 h",
      "0 % of 24 h",
      "< 1 % of 24 h",
      "50 % of 24 h",
      "> 99 % of 24 h",
      "100 % of 24 h",
    ]);
  });

  it("speaks the new position", () => {
    expect(spokenMove({ id: 0, provider: "a", model: "m", enabled: true }, 1, 3)).toBe(
      "a/m, 1 of 3",
    );
  });
});
