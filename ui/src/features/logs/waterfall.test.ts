import { describe, expect, it } from "vitest";
import { layoutWaterfall } from "./waterfall";

describe("layoutWaterfall", () => {
  it("puts attempts one after the other on a round axis", () => {
    const { span, ticks, bars } = layoutWaterfall([
      { started: 0, finished: 200 },
      { started: 200, firstToken: 400, finished: 800 },
    ]);
    expect(span).toBe(800);
    expect(ticks).toEqual([0, 200, 400, 600, 800]);
    expect(bars).toEqual([
      { left: 0, wait: 25, receive: 0 },
      { left: 25, wait: 25, receive: 50 },
    ]);
  });

  it("keeps a bar of no length visible and inside the axis", () => {
    const { bars } = layoutWaterfall([
      { started: 0, finished: 1000 },
      { started: 1000, finished: 1000 },
    ]);
    const last = bars[1];
    expect(last && last.wait + last.receive).toBeGreaterThan(0.5);
    expect(last && last.left + last.wait + last.receive).toBeLessThanOrEqual(100);
  });

  it("survives clocks that run backwards and no attempts at all", () => {
    expect(layoutWaterfall([]).bars).toEqual([]);
    const [bar] = layoutWaterfall([{ started: 50, firstToken: 20, finished: 10 }]).bars;
    expect(bar?.wait).toBeGreaterThanOrEqual(0);
    expect(bar?.receive).toBeGreaterThanOrEqual(0);
  });
});
