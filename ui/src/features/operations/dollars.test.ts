import { expect, test } from "vitest";
import { fromDollars, toDollars } from "./dollars";

test("dollars are kept as whole nano-dollars and shown without trailing zeros", () => {
  for (const [typed, kept, shown] of [
    ["0.5", "500000000", "0.5"],
    [".25", "250000000", "0.25"],
    ["12", "12000000000", "12"],
    ["0.000000001", "1", "0.000000001"],
    ["1.50", "1500000000", "1.5"],
    ["0", "0", "0"],
    ["3.", "3000000000", "3"],
  ] as const) {
    expect(fromDollars(typed)).toBe(kept);
    expect(toDollars(kept)).toBe(shown);
  }
  expect(fromDollars("")).toBeNull();
  expect(fromDollars(".")).toBeNull();
  expect(toDollars(null)).toBe("");
});
