import { expect, test } from "vitest";
import { z } from "zod";
import { optionalText, searchValidator } from "./search";
import { pickRange, rangeSearch, resolveRange } from "./timeRange";

const validate = searchValidator(
  z.object({
    ...rangeSearch,
    status: z.enum(["failed"]).optional().catch(undefined),
    q: optionalText,
  }),
);

test("a search never throws and drops what it does not understand", () => {
  expect(validate({ range: "7d", status: "nonsense", q: 12, other: {} })).toEqual({
    range: "7d",
    q: "12",
  });
  const nothing = validate({ range: { evil: true }, q: ["x"] });
  expect(nothing).toEqual({});
  // Laid over the raw search, it must leave no gap to see that through.
  expect({ range: { evil: true }, q: ["x"], ...nothing }).toEqual({});
});

test("a preset is resolved against the clock, a custom range is taken as it is", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  expect(resolveRange({ range: "1h" }, "24h", now)).toEqual({
    from: "2026-11-21T11:00:00.000Z",
    to: "2026-11-21T12:00:00.000Z",
  });
  const custom = {
    range: "custom",
    from: "2026-11-01T00:00:00Z",
    to: "2026-11-02T00:00:00Z",
  } as const;
  expect(resolveRange(custom, "24h", now).from).toBe("2026-11-01T00:00:00.000Z");
  expect(resolveRange({ range: "all" }, "24h", now)).toEqual({});
});

test("a custom range that ends before it starts falls back to the default", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  const broken = {
    range: "custom",
    from: "2026-11-02T00:00:00Z",
    to: "2026-11-01T00:00:00Z",
  } as const;
  expect(resolveRange(broken, "15m", now).from).toBe("2026-11-21T11:45:00.000Z");
});

test("only the range travels between screens", () => {
  expect(pickRange({ range: "7d", operation: "x" })).toEqual({ range: "7d" });
});
