import { expect, test } from "vitest";
import type { ApiKey, Budget, ProviderHealth, UnpricedModel } from "@/bindings";
import { createFakePlatform } from "@/platform/fake";
import { type Known, needsOf } from "./needs";

const { world } = createFakePlatform("normal", { live: false });
const NOTHING: Known = { approvals: 0, budgets: [], keys: [], health: [], unpriced: [] };

function budget(name: string, used_permille: number, patch: Partial<Budget> = {}): Budget {
  const [found] = world.budgets;
  if (!found) throw new Error("the made-up world has no budget");
  return { ...found, id: name, name, used_permille, ...patch };
}

function words(known: Partial<Known>): string[] {
  return needsOf({ ...NOTHING, ...known }).map((need) => need.words);
}

test("nothing needs a person when nothing does", () => {
  expect(needsOf(NOTHING)).toEqual([]);
  expect(words({ budgets: [budget("Half", 500), budget("Edge", 750)] })).toEqual([]);
});

test("what refuses requests now stands before what waits, and that before what will refuse soon", () => {
  const [key] = world.keys;
  const target = { provider: "openai", model: "gpt-5", state: "open", text: "Too many failures." };
  const known: Known = {
    approvals: 2,
    budgets: [budget("Near", 751), budget("Full", 1_020), budget("Off", 2_000, { enabled: false })],
    keys: [{ ...(key as ApiKey), name: "crm", expires_soon: true }],
    health: [{ targets: [target] }] as unknown as ProviderHealth[],
    unpriced: [
      { target: "x/y", requests: 1, priced_now: false },
      { target: "x/z", requests: 9, priced_now: true },
    ] as UnpricedModel[],
  };
  expect(needsOf(known).map((need) => need.words)).toEqual([
    "Full is used to 102 %",
    "openai/gpt-5 is left alone",
    "2 approvals wait for you",
    "Near is used to 75 %",
    "The key crm expires within a week",
    "x/y has no price",
  ]);
});

test("of many of one kind the fullest are named and the others counted", () => {
  const budgets = Array.from({ length: 9 }, (_, index) => budget(`B${index}`, 800 + index));
  expect(words({ budgets })).toEqual([
    "B8 is used to 80 %",
    "B7 is used to 80 %",
    "B6 is used to 80 %",
    "6 more budgets are nearly used up",
  ]);
});
