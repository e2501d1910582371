import { expect, test } from "vitest";
import { prepareDays } from "./prepareDays";

test("no event is said as such, one alone is a low bar, and the busiest day fills the height", () => {
  expect(prepareDays("flip", [0, 0, 0]).words).toBe("No flip in 3 days");
  const few = prepareDays("flip", [1, 0, 0]);
  expect(few.words).toBe("1 flip in 3 days, the last 2 days ago");
  expect(few.bars.map(({ percent }) => percent)).toEqual([33, 0, 0]);
  const many = prepareDays("flip", [2, 8, 4]);
  expect(many.words).toBe("14 flips in 3 days, the last today");
  expect(many.bars.map(({ percent }) => percent)).toEqual([25, 100, 50]);
  expect(many.bars[0]?.daysAgo).toBe(2);
});
