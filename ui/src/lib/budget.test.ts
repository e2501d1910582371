import { expect, test } from "vitest";
import type { BudgetPurse } from "@/bindings";
import { makeBudgets } from "@/platform/fake/budgets";
import { barOf } from "./budget";

function purse(patch: Partial<BudgetPurse>): BudgetPurse {
  const found = makeBudgets("normal", Date.parse("2026-11-21T12:00:00Z"))[0]?.purse;
  if (!found) throw new Error("the made-up world has no purse");
  return { ...found, forecast: null, ...patch };
}

test("a bar shows settled, reserved and left as shares of the limit, and of what is used once that is more", () => {
  const half = barOf(purse({ settled: "40", reserved: "10", used_permille: 500 }), "100");
  expect(half).toEqual({ settled: 0.4, used: 0.5, limit: 1, forecast: undefined, tone: "calm" });
  const over = barOf(purse({ settled: "150", reserved: "50", used_permille: 2000 }), "100");
  expect(over).toMatchObject({ settled: 0.75, used: 1, limit: 0.5, tone: "over" });
  expect(barOf(purse({ settled: "0", used_permille: 850 }), null)).toMatchObject({
    used: 0.85,
    tone: "near",
  });
});

test("a forecast beyond the limit stands at the end of the bar", () => {
  const forecast = { expected: "300", low: "200", high: "400", basis: "pace" as const };
  expect(barOf(purse({ settled: "1", reserved: "0", forecast }), "100").forecast).toBe(1);
});
