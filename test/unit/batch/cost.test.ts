import assert from "node:assert/strict";
import { CostModel, DrainRate, sizeOf } from "../../../server/batch/cost.js";
import { seeded } from "../seeded.js";

/** A model that has seen batches of those tokens, each `fixed` + `slope` x tokens milliseconds long. */
function seen(sizes: readonly number[], fixed: number, slope: number): CostModel {
  const cost = new CostModel();
  for (const work of sizes) cost.observe({ tokens: work / 2, work }, fixed + slope * work);
  return cost;
}
const near = (value: number | undefined, wanted: number) =>
  assert.ok(Math.abs((value ?? Number.NaN) - wanted) < 1e-6 * wanted, `${value}, not ${wanted}`);

describe("sizeOf", () => {
  it("counts padding by what it costs", () => {
    assert.deepEqual(sizeOf([10, 100, 10], 1), { tokens: 120, longest: 100, work: 300 });
    assert.deepEqual(sizeOf([10, 100, 10], 0.25), { tokens: 120, longest: 100, work: 165 });
    assert.deepEqual(sizeOf([100], 0.25), { tokens: 100, longest: 100, work: 100 });
  });
});

describe("CostModel", () => {
  it("knows nothing before it has seen four batches", () => {
    const cost = seen([10, 20, 30], 1, 1);
    assert.equal(cost.msPerToken, undefined);
    assert.equal(cost.fixedTokens, undefined);
    near(seen([10, 20, 30, 40], 2, 1).fixedTokens, 2);
  });

  it("finds what a batch costs before its first token", () => {
    near(seen([100, 200, 300, 400, 500], 2, 0.05).fixedTokens, 2 / 0.05);
  });

  it("takes two tokens for the least, however the times scatter", () => {
    assert.equal(seen([100, 200, 300, 400], 0, 0.05).fixedTokens, 2);
    assert.equal(seen([100, 200, 300, 400], -1, 0.05).fixedTokens, 2);
  });

  it("does not guess the fixed part from batches of one size, nor where larger ones are faster", () => {
    assert.equal(seen([64, 64, 64, 64, 64], 2, 0.05).fixedTokens, undefined);
    assert.equal(seen([100, 200, 300, 400], 100, -0.1).fixedTokens, undefined);
  });

  it("counts what padding and the fixed part cost to the tokens of the texts", () => {
    // 100 tokens, half of them padding, in 2 + 0.05 x 100 ms.
    near(seen([100, 100, 100, 100], 2, 0.05).msPerToken, 7 / 50);
  });

  it("forgets: after a few hundred batches what was before hardly counts", () => {
    const draw = seeded(3);
    const sizes = Array.from({ length: 400 }, () => draw(10, 1000));
    const cost = seen(sizes, 50, 1);
    for (const work of sizes) cost.observe({ tokens: work, work }, 2 + 0.05 * work);
    const tokens = cost.fixedTokens ?? Number.NaN;
    assert.ok(Math.abs(tokens - 40) < 4, `${tokens}`);
  });
});

describe("CostModel of a model that was held up", () => {
  const SIZES = Array.from({ length: 60 }, (_, place) => 100 + 10 * (place % 10));

  it("counts five times what such a batch takes, whatever it took", () => {
    const held = seen(SIZES, 2, 0.05);
    held.observe({ tokens: 500, work: 1000 }, 100_000);
    const slow = seen(SIZES, 2, 0.05);
    slow.observe({ tokens: 500, work: 1000 }, 5 * 500 * (slow.msPerToken ?? 0));
    near(held.msPerToken, slow.msPerToken ?? 0);
    near(held.fixedTokens, slow.fixedTokens ?? 0);
  });

  it("learns one that is fifty times slower for good within a hundred batches", () => {
    const cost = seen(SIZES, 2, 0.05);
    const before = cost.msPerToken ?? 0;
    for (const work of [...SIZES, ...SIZES.slice(20)])
      cost.observe({ tokens: work / 2, work }, 50 * (2 + 0.05 * work));
    const times = (cost.msPerToken ?? 0) / before;
    assert.ok(times > 30, `${times}`);
  });
});

/** Milliseconds that the model takes for a token. */
const MODEL = 0.05;

describe("DrainRate", () => {
  it("is the time between batches while rows wait", () => {
    const drain = new DrainRate();
    drain.done(100, 0, true, MODEL);
    assert.equal(drain.msPerToken, undefined);
    drain.done(100, 10, true, MODEL);
    near(drain.msPerToken, 0.1);
  });

  it("does not count the time in which nobody waited", () => {
    const drain = new DrainRate();
    drain.done(100, 0, true, MODEL);
    drain.done(100, 10, false, MODEL);
    drain.done(100, 5000, true, MODEL);
    drain.done(100, 5010, true, MODEL);
    near(drain.msPerToken, 0.1);
  });

  it("does not count a batch while it is not known what the model takes: it may have been held up", () => {
    const drain = new DrainRate();
    drain.done(100, 0, true, undefined);
    drain.done(100, 60_000, true, undefined);
    assert.equal(drain.msPerToken, undefined);
    drain.done(100, 60_010, true, MODEL);
    near(drain.msPerToken, 0.1);
  });

  it("counts a pause as five times what the model takes, before it knows better", () => {
    const drain = new DrainRate();
    drain.done(100, 0, true, 0.1);
    drain.done(100, 60_000, true, 0.1);
    near(drain.msPerToken, 0.5);
  });

  it("goes by what it has seen where that is slower than the model", () => {
    const drain = new DrainRate();
    for (let batch = 0; batch <= 100; batch++) drain.done(100, batch * 40, true, 0.1);
    near(drain.msPerToken, 0.4);
    drain.done(100, 100 * 40 + 60_000, true, 0.1);
    const msPerToken = drain.msPerToken ?? Number.NaN;
    assert.ok(msPerToken > 0.4 && msPerToken < 0.45, `${msPerToken}`);
  });
});
