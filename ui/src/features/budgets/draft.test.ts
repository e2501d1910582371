import { expect, test } from "vitest";
import { parseUsd } from "@/lib/money";
import { countChanges, NEW_BUDGET, toDraft, typedOf } from "./draft";
import { makeBudgets } from "@/platform/fake/budgets";

const NOW = Date.parse("2026-11-21T12:00:00Z");

test("typed dollars are read to the nano-dollar, or not at all", () => {
  expect(parseUsd("5")).toBe("5000000000");
  expect(parseUsd("$1,250.5")).toBe("1250500000000");
  expect(parseUsd(".000000001")).toBe("1");
  expect(parseUsd("")).toBeNull();
  for (const bad of [".", "five", "-1", "1e3", "0.0000000001"])
    expect(parseUsd(bad)).toBeUndefined();
});

test("a budget that is opened and not touched says the same again", () => {
  for (const budget of makeBudgets("normal", NOW)) {
    const typed = typedOf(budget);
    expect(countChanges(typed, budget)).toBe(0);
    const { draft, faults } = toDraft(typed, budget);
    expect(faults).toEqual({});
    expect(draft).toMatchObject({
      id: budget.id,
      base_version: budget.version,
      scope: budget.scope,
      limits: budget.limits,
      thresholds: budget.thresholds,
    });
  }
});

test("what cannot be read as it is typed is said at its field, and a scope of everything names nothing", () => {
  const { draft, faults } = toDraft(
    {
      ...NEW_BUDGET,
      value: "left over from another scope",
      usd: "much",
      tokens: "1.5",
      overrun: "101",
      thresholds: [{ percent: "0", severity: "info" }],
    },
    undefined,
  );
  expect(Object.keys(faults).toSorted()).toEqual([
    "limits.cost",
    "limits.tokens",
    "overrun_percent",
    "thresholds",
  ]);
  expect(draft.scope).toEqual({ kind: "global", value: null });
});
