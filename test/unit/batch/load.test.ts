import assert from "node:assert/strict";
import { type Backlog, Load, waitOf } from "../../../server/batch/load.js";

const BACKLOG: Backlog = {
  aheadTokens: 1000,
  runningTokens: 200,
  ownTokens: 20,
  concurrency: 2,
  msPerToken: 0.1,
  drainMsPerToken: undefined,
};

const batch = (work: number) => ({ tokens: work / 2, work });
/** Batches of 4 ms and 0.05 ms a padded token, one after the other. */
function learned(load: Load): Load {
  let nowMs = 0;
  for (const tokens of [100, 200, 300, 400, 100, 200, 300, 400]) {
    const size = batch(tokens);
    load.began(size);
    const ranMs = 4 + 0.05 * tokens;
    nowMs += ranMs;
    load.ended(size, ranMs, nowMs, true);
  }
  return load;
}

describe("the load of a backend", () => {
  it("learns what a batch costs before its first token, where the backend does not say", () => {
    assert.equal(new Load(2, undefined).fixedTokens, undefined);
    assert.equal(Math.round(learned(new Load(2, undefined)).fixedTokens ?? 0), 80);
    assert.equal(learned(new Load(2, 5)).fixedTokens, 5);
  });

  it("learns what a token costs, all included", () => {
    assert.equal(new Load(2, 5).msPerToken, undefined);
    const { msPerToken = 0 } = learned(new Load(2, 5));
    assert.ok(msPerToken > 0.05 && msPerToken < 0.15, `${msPerToken}`);
  });

  it("waits for what is ahead, what runs and what is its own, on all that run side by side", () => {
    const load = learned(new Load(2, undefined));
    // 66 ms passed while the last 500 tokens were done; of those before it was not known what the model takes.
    const msPerToken = (load.waitMs(1000, 0) - load.waitMs(0, 0)) / 1000;
    assert.ok(msPerToken > 0.12 && msPerToken < 0.15, `${msPerToken}`);
    load.began(batch(200));
    assert.equal(Math.round(load.waitMs(0, 50)), Math.round(msPerToken * 150));
  });

  it("has a place free for the next batch at least, and forgets the times of what failed", () => {
    const load = new Load(2, undefined);
    assert.deepEqual([load.batches, load.free], [0, 2]);
    for (const _ of [1, 2, 3]) load.began(batch(100));
    assert.deepEqual([load.batches, load.free], [3, 1]);
    for (const nowMs of [1, 2, 3]) load.ended(batch(100), undefined, nowMs, false);
    assert.deepEqual([load.batches, load.free, load.waitMs(100, 100)], [0, 2, 0]);
  });
});

describe("waitOf", () => {
  it("counts what is ahead, what runs, and the call itself, side by side", () => {
    assert.equal(waitOf(BACKLOG), ((1000 + 200 + 20) * 0.1) / 2);
  });

  it("goes by what has been done of late where that is slower than the model", () => {
    assert.equal(waitOf({ ...BACKLOG, drainMsPerToken: 0.2 }), (1000 + 200 + 20) * 0.2);
    assert.equal(waitOf({ ...BACKLOG, drainMsPerToken: 0.01 }), waitOf(BACKLOG));
  });

  it("is nothing while nothing is known", () => {
    assert.equal(waitOf({ ...BACKLOG, msPerToken: undefined }), 0);
  });
});
