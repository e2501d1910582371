import { describe, expect, it } from "vitest";
import { evenShares, realShare, sumShares, withPart } from "./shares";

const cards = (...weights: number[]) => weights.map((weight) => ({ enabled: true, weight }));
const weights = (list: readonly { weight: number }[]) => list.map((card) => card.weight);

describe("evenShares", () => {
  it("adds up to 100 and keeps the proportions", () => {
    expect(weights(evenShares(cards(1, 1)))).toEqual([50, 50]);
    expect(weights(evenShares(cards(1, 1, 1)))).toEqual([34, 33, 33]);
    expect(weights(evenShares(cards(200, 100, 100)))).toEqual([50, 25, 25]);
    expect(weights(evenShares(cards(0, 0, 0, 0)))).toEqual([25, 25, 25, 25]);
  });

  it("takes no share away by rounding, and gives none to who had none", () => {
    const shares = weights(evenShares(cards(10_000, 1, 1, 0)));
    expect(shares).toEqual([98, 1, 1, 0]);
  });

  it("leaves targets that are off alone", () => {
    const list = [
      { enabled: true, weight: 3 },
      { enabled: false, weight: 70 },
      { enabled: true, weight: 1 },
    ];
    expect(weights(evenShares(list))).toEqual([75, 70, 25]);
  });

  it("adds up to 100 whatever the weights", () => {
    for (let seed = 1; seed < 400; seed += 1) {
      const list = cards(
        ...Array.from({ length: 1 + (seed % 16) }, (_, index) => (seed * (index + 3) * 7919) % 997),
      );
      expect(sumShares(evenShares(list))).toBe(100);
    }
  });
});

it("a target's real share is its part of what is on", () => {
  const list = [...cards(30, 30), { enabled: false, weight: 40 }];
  expect(list.map((card) => realShare(list, card))).toEqual([0.5, 0.5, 0]);
  expect(realShare(cards(0), { enabled: true, weight: 0 })).toBeUndefined();
});

describe("withPart", () => {
  const balance = { cost: 50, latency: 30, quality: 20 };

  it("lets the others give and take in proportion", () => {
    expect(withPart(balance, "cost", 0)).toEqual({ cost: 0, latency: 60, quality: 40 });
    expect(withPart(balance, "quality", 100)).toEqual({ cost: 0, latency: 0, quality: 100 });
    expect(withPart({ cost: 0, latency: 0, quality: 100 }, "quality", 51)).toEqual({
      cost: 25,
      latency: 24,
      quality: 51,
    });
  });

  it("always adds up to 100", () => {
    let now = balance;
    for (let step = 0; step < 500; step += 1) {
      const part = (["cost", "latency", "quality"] as const)[step % 3] ?? "cost";
      now = withPart(now, part, (step * 37) % 140);
      expect(now.cost + now.latency + now.quality).toBe(100);
      expect(Math.min(now.cost, now.latency, now.quality)).toBeGreaterThanOrEqual(0);
    }
  });
});
