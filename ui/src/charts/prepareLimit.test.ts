import { expect, test } from "vitest";
import type { BudgetGlance } from "@/bindings";
import { axisWithRoom, prepareLimit } from "./prepareLimit";

const USD = 1_000_000_000n;
const BUDGET: BudgetGlance = {
  id: "bud_1",
  name: "Everything",
  period: "day",
  limit: (48n * USD).toString(),
  settled: "0",
  reserved: (2n * USD).toString(),
  used_permille: 0,
  stops: true,
  expected: null,
};
const AT = "2026-11-21T12:30:00Z";
const HOURS = {
  bucket: "hour" as const,
  buckets: ["2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z"],
  at: AT,
};
const DAYS = { bucket: "day" as const, buckets: ["2026-11-20T00:00:00Z"], at: AT };

test("beside days the line is the budget, beside shorter buckets the pace that would use it up", () => {
  expect(prepareLimit(BUDGET, DAYS, "1")?.words).toBe("Budget Everything: $48.00 a day");
  const hours = prepareLimit(BUDGET, HOURS, USD.toString());
  expect(hours?.words).toBe("Pace of $48.00 a day: $2.00 an hour");
  expect([hours?.amount, hours?.plot]).toEqual([(2n * USD).toString(), 2]);
});

test("a line far above the bars is said, but not drawn", () => {
  expect(prepareLimit(BUDGET, HOURS, (USD / 2n).toString())?.drawn).toBe(true);
  expect(prepareLimit(BUDGET, HOURS, (USD / 2n - 1n).toString())?.drawn).toBe(false);
});

test("what is reserved stands on the bar of now, and on no earlier one", () => {
  expect(prepareLimit(BUDGET, HOURS, USD.toString())?.reserved).toMatchObject({
    plot: 2,
    drawn: true,
  });
  expect(prepareLimit(BUDGET, HOURS, "1")?.reserved?.drawn).toBe(false);
  expect(prepareLimit(BUDGET, DAYS, "1")?.reserved).toBeUndefined();
  expect(prepareLimit({ ...BUDGET, reserved: "0" }, HOURS, "1")?.reserved).toBeUndefined();
});

test("without a budget of a day there is no line", () => {
  expect(prepareLimit(null, HOURS, "1")).toBeUndefined();
  expect(prepareLimit({ ...BUDGET, period: "week" }, HOURS, "1")).toBeUndefined();
  expect(prepareLimit(BUDGET, HOURS, undefined)).toBeUndefined();
});

test("an axis has even round steps and room above what is highest", () => {
  expect(axisWithRoom(2.98)).toEqual({ max: 4, interval: 1 });
  expect(axisWithRoom(50)).toEqual({ max: 60, interval: 20 });
  for (const top of [0.003, 0.7, 1, 9.9, 123, 4_567]) {
    const { max, interval } = axisWithRoom(top);
    expect(max).toBeGreaterThan(top * 1.1);
    expect(Math.round(max / interval)).toBeLessThanOrEqual(4);
  }
});
