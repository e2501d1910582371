import { describe, expect, it } from "vitest";
import { nanoFromUsd, usdFromNano } from "./amount";
import { arithmetic, linesDiffer, perLabel, sumCosts, unitLabel } from "./cost";

describe("amounts", () => {
  it("turns typed dollars into nano-dollars without a float", () => {
    expect(nanoFromUsd("0.1")).toBe("100000000");
    expect(nanoFromUsd(".000000001")).toBe("1");
    expect(nanoFromUsd("12")).toBe("12000000000");
    expect(nanoFromUsd("")).toBeUndefined();
    expect(nanoFromUsd(".")).toBeUndefined();
    expect(nanoFromUsd("1e3")).toBeUndefined();
    expect(nanoFromUsd("0.0000000001")).toBeUndefined();
  });

  it("writes nano-dollars back exactly", () => {
    expect(usdFromNano("270000000")).toBe("0.27");
    expect(usdFromNano("-1")).toBe("-0.000000001");
    expect(usdFromNano("9007199254740993000000000")).toBe("9007199254740993");
  });
});

describe("arithmetic", () => {
  it("shows the whole calculation of a line", () => {
    expect(
      arithmetic({
        unit: "input_tokens",
        quantity: "1234",
        price: "270000000",
        per: "1000000",
        cost: "333180",
      }),
    ).toBe("1,234 × $0.27 / 1M = $0.00033318");
  });

  it("says so when there is no price, instead of $0", () => {
    expect(
      arithmetic({ unit: "input_tokens", quantity: "12", price: null, per: "1000000", cost: null }),
    ).toBe("12 × no price known");
  });

  it("leaves the divisor out where the price is per one", () => {
    expect(
      arithmetic({ unit: "requests", quantity: "3", price: "5000000", per: "1", cost: "15000000" }),
    ).toBe("3 × $0.005 = $0.015");
  });

  it("names divisors and units", () => {
    expect([perLabel("1000000"), perLabel("1000"), perLabel("60")]).toEqual(["1M", "1K", "60"]);
    expect([unitLabel("output_tokens"), unitLabel("video_frames")]).toEqual([
      "Output tokens",
      "Video frames",
    ]);
  });

  it("adds up what is known and notices a difference", () => {
    expect(sumCosts(["1", null, "2"])).toBe("3");
    expect(sumCosts([null])).toBeUndefined();
    const line = { unit: "x", quantity: "1", price: "1", per: "1", cost: "5" };
    expect(linesDiffer({ lines: [line], cost: "5" })).toBe(false);
    expect(linesDiffer({ lines: [line], cost: "6" })).toBe(true);
    expect(linesDiffer({ lines: [], cost: "6" })).toBe(false);
  });
});
