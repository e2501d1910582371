import { describe, expect, test } from "vitest";
import {
  changePercent,
  compareNano,
  formatMoneyExact,
  formatMoneyRow,
  formatMoneyTotal,
  shareOf,
  sumNano,
} from "./money";

describe("money", () => {
  test.each([
    ["0", "$0"],
    ["1", "< $0.00001"],
    ["9999", "< $0.00001"],
    ["10000", "$0.00001"],
    ["3420000", "$0.00342"],
    ["3421250", "$0.0034212"],
    ["999999", "$0.001"],
    ["123456789", "$0.12346"],
    ["12345678901", "$12.346"],
    ["1234567890123", "$1,234.57"],
    ["500000000", "$0.50"],
  ])("a row shows five significant digits and never hides a cost: %s is %s", (nano, shown) => {
    expect(formatMoneyRow(nano)).toBe(shown);
  });

  test.each([
    ["0", "$0.00"],
    ["1284070000000", "$1,284.07"],
    ["1284075000000", "$1,284.08"],
    ["1284065000000", "$1,284.06"],
    ["3420000", "$0.00342"],
    ["9223372036854775807", "$9,223,372,036.85"],
  ])("a total shows cents, half to even: %s is %s", (nano, shown) => {
    expect(formatMoneyTotal(nano)).toBe(shown);
  });

  test("the exact form keeps every nano-dollar beyond 2^53", () => {
    expect(formatMoneyExact("9223372036854775807")).toBe("$9,223,372,036.854775807");
    expect(formatMoneyExact("3420000")).toBe("$0.00342");
    expect(formatMoneyExact("5000000000")).toBe("$5.00");
  });

  test("sums and comparisons are exact", () => {
    expect(sumNano(["9007199254740993", "1"])).toBe("9007199254740994");
    expect(compareNano("9007199254740993", "9007199254740992")).toBe(1);
  });

  test("a change needs something to compare with", () => {
    expect(changePercent("150", "100")).toBe(50);
    expect(changePercent("150", "0")).toBeUndefined();
    expect(shareOf("1", "4")).toBe(0.25);
    expect(shareOf("1", "0")).toBe(0);
  });
});
