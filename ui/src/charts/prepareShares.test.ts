import { expect, test } from "vitest";
import type { Overview } from "@/bindings";
import { prepareShares } from "./prepareShares";

function overview(spend: Record<string, string>): Overview {
  const groups = Object.entries(spend).map(([key, amount]) => ({
    key,
    simulated: false,
    spend: [],
    requests: [],
    total: { spend: amount, requests: 1 },
  }));
  return { groups } as unknown as Overview;
}

test("shares are exact, largest first, and leave nothing out", () => {
  const shares = prepareShares(overview({ a: "1000000000", b: "3000000000" }), "spend");
  expect(shares.map(({ label, share, value }) => [label, share, value])).toEqual([
    ["b", 0.75, "3000000000"],
    ["a", 0.25, "1000000000"],
  ]);
});

test("what has no colour is one rest that says how many it stands for", () => {
  const many = Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [`m${index}`, String(index + 1)]),
  );
  const shares = prepareShares(overview(many), "spend");
  expect(shares).toHaveLength(7);
  expect(shares.at(-1)).toMatchObject({ label: "2 others", slot: 0, value: "3" });
});

test("nothing spent is no share at all, not a division by zero", () => {
  expect(prepareShares(overview({ a: "0" }), "spend")).toEqual([]);
});
