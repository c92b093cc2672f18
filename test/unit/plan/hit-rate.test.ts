import assert from "node:assert/strict";
import { hitRateOf, keptFor } from "../../../benchmarks/plan/hit-rate.js";

describe("the hit rate that a plan expects", () => {
  // LRU's, simulated: docs/decisions.md, 22.
  for (const [skew, simulated] of [
    [0.8, 0.4677],
    [1, 0.7355],
    [1.2, 0.9146],
  ] as const)
    it(`is what a simulation of LRU has, at Zipf ${skew}`, () => {
      const rate = hitRateOf({ skew, texts: 100_000 }, 10_000);
      assert.ok(Math.abs(rate - simulated) < 0.01, `${rate}`);
    });

  it("is 1 where all fits, and the share of what fits where all are alike", () => {
    assert.equal(hitRateOf({ skew: 1, texts: 100 }, 100), 1);
    assert.ok(Math.abs(hitRateOf({ skew: 0, texts: 1000 }, 100) - 0.1) < 1e-6);
  });

  it("takes as long for any number of texts", () => {
    const rate = hitRateOf({ skew: 1, texts: 1e12 }, 1e9);
    assert.ok(rate > 0 && rate < 1, `${rate}`);
    for (const skew of [0, 10]) assert.ok(hitRateOf({ skew, texts: 1e12 }, 1) <= 1);
  });

  it("grows with the time that answers are kept, up to all", () => {
    const zipf = { skew: 1, texts: 1000 };
    assert.ok(keptFor(zipf, 10).hitRate < keptFor(zipf, 1000).hitRate);
    const all = keptFor(zipf, 1e9);
    assert.ok(Math.abs(all.hitRate - 1) < 1e-6 && Math.abs(all.entries - 1000) < 1e-3);
  });
});
