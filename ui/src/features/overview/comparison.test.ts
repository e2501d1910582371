import { expect, test } from "vitest";
import { countComparison, spendComparison } from "./comparison";

test("a figure is compared only with something", () => {
  expect(countComparison(5, 0)).toBeUndefined();
  expect(spendComparison("5", "0")).toBeUndefined();
});

test("a change reads as direction and size", () => {
  expect(countComparison(150, 100)).toBe("▲ 50 % vs before");
  expect(countComparison(50, 100)).toBe("▼ 50 % vs before");
  expect(countComparison(1000, 1001)).toBe("as before");
  expect(spendComparison("100000", "1")).toBe("▲ > 999 % vs before");
});
