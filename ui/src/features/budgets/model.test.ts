import { expect, test } from "vitest";
import type { BudgetPurse } from "@/bindings";
import { makeBudgets } from "@/platform/fake/budgets";
import { historyOf, openIds, toggleOpen, toTree } from "./model";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const BUDGETS = makeBudgets("normal", NOW);

function purse(patch: Partial<BudgetPurse>): BudgetPurse {
  const found = BUDGETS[0]?.purse;
  if (!found) throw new Error("the made-up world has no purse");
  return { ...found, forecast: null, ...patch };
}

test("the most general budget is at the root, and members stand under theirs when it is folded out", () => {
  const folded = toTree(BUDGETS, new Map(), undefined);
  expect(folded.map(({ budget }) => budget.scope.kind)).toEqual([
    "global",
    "operation",
    "provider",
    "key",
    "each_user",
    "user",
  ]);
  expect(folded.map(({ depth }) => depth)).toEqual([0, 1, 1, 1, 1, 1]);
  const members = new Map([["bud_users", [purse({ member: "ines" }), purse({ member: "bob" })]]]);
  const open = toTree(BUDGETS, members, undefined);
  expect(open.filter(({ depth }) => depth === 2).map(({ id }) => id)).toEqual([
    "bud_users/ines",
    "bud_users/bob",
  ]);
  expect(open.find(({ id }) => id === "bud_users")?.folded).toBe(false);
});

test("a filter finds budgets by name, scope and member, and keeps the budget of a member in sight", () => {
  const members = new Map([["bud_users", [purse({ member: "ines" }), purse({ member: "bob" })]]]);
  expect(toTree(BUDGETS, members, "ines").map(({ id }) => id)).toEqual([
    "bud_users",
    "bud_users/ines",
  ]);
  expect(toTree(BUDGETS, new Map(), "chat_message").map(({ id }) => id)).toEqual(["bud_chat"]);
  expect(toTree(BUDGETS, new Map(), "no such thing")).toEqual([]);
});

test("the history of a budget is that of whom it counts, and there is none for keys and labels", () => {
  const kinds = BUDGETS.map((budget) => [budget.scope.kind, historyOf(budget, undefined)]);
  expect(Object.fromEntries(kinds)).toEqual({
    global: { split: "operation", only: null },
    operation: { split: "operation", only: "chat_message" },
    key: undefined,
    provider: { split: "provider", only: "deepseek" },
    user: { split: "user", only: "tomasz" },
    each_user: { split: "user", only: null },
  });
});

test("what is folded out is kept in the address", () => {
  const once = toggleOpen(undefined, "bud_a");
  const twice = toggleOpen(once, "bud_b");
  expect(openIds(twice)).toEqual(["bud_a", "bud_b"]);
  expect(toggleOpen(toggleOpen(twice, "bud_a"), "bud_b")).toBeUndefined();
});
