import { describe, expect, test } from "vitest";
import { formatDuration } from "./duration";
import { formatCompact, formatCount, formatPercent, plural } from "./numbers";
import { formatBucket, formatClock, formatRelative } from "./time";

describe("durations", () => {
  test.each([
    [0, "0 ms"],
    [0.42, "0.4 ms"],
    [842.3, "842 ms"],
    [999.6, "1.0 s"],
    [3200, "3.2 s"],
    [64_000, "1 min 04 s"],
    [7_500_000, "2 h 05 min"],
    [Number.NaN, "–"],
  ])("%d is %s", (ms, shown) => {
    expect(formatDuration(ms)).toBe(shown);
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-21T14:30:00Z");
  test.each([
    ["2026-11-21T14:29:58Z", "just now"],
    ["2026-11-21T14:29:18Z", "42 s ago"],
    ["2026-11-21T14:16:00Z", "14 min ago"],
    ["2026-11-21T09:05:07Z", "09:05:07"],
    ["2026-11-20T09:05:07Z", "20 Nov 09:05"],
    ["2025-11-20T09:05:07Z", "20 Nov 2025 09:05"],
    ["nonsense", "–"],
  ])("%s reads %s", (iso, shown) => {
    expect(formatRelative(iso, now, "utc")).toBe(shown);
  });

  test("a time ahead of the clock is shown as a clock time, not as a negative age", () => {
    expect(formatClock("2026-11-21T15:00:00Z", now, "utc")).toBe("15:00:00");
    expect(formatRelative("2026-11-21T15:00:00Z", now, "utc")).toBe("15:00:00");
  });

  test("buckets are labelled by their width", () => {
    expect(formatBucket("2026-11-21T14:05:00Z", "minute", "utc")).toBe("14:05");
    expect(formatBucket("2026-11-21T14:00:00Z", "hour", "utc")).toBe("21 Nov 14:00");
    expect(formatBucket("2026-11-21T00:00:00Z", "day", "utc")).toBe("21 Nov");
  });
});

describe("numbers", () => {
  test("counters of any size are grouped without losing digits", () => {
    expect(formatCount("9007199254740993")).toBe("9,007,199,254,740,993");
    expect(formatCompact(12_345)).toBe("12.3K");
    expect(plural(1, "request")).toBe("1 request");
    expect(plural(1200, "request")).toBe("1,200 requests");
  });

  test("a share that is not everything never reads 100 %", () => {
    expect(formatPercent(0.9999)).toBe("> 99.9 %");
    expect(formatPercent(0.0004)).toBe("< 0.1 %");
    expect(formatPercent(0.984)).toBe("98.4 %");
    expect(formatPercent(1)).toBe("100 %");
  });
});
