import assert from "node:assert/strict";
import { LEAST_REST_MS, Moderation } from "../../../server/core/moderation.js";
import { FakeClock } from "../../support/fake-clock.js";

/** As often as the event loop goes round; after those that were asked for before. */
const round = () => new Promise<void>((resume) => setImmediate(resume));

describe("moderation", () => {
  let aheadMs: number;
  let rests: number[];
  let clock: FakeClock;
  let moderation: Moderation;
  beforeEach(() => {
    [aheadMs, rests, clock] = [3, [], new FakeClock()];
    moderation = new Moderation(
      () => aheadMs,
      clock,
      (ms) => rests.push(ms),
    );
  });
  afterEach(async () => {
    aheadMs = 0;
    await round();
  });

  it("rests once a round while the threads go on, and not before this one is over", async () => {
    moderation.look();
    moderation.look();
    assert.deepEqual(rests, []);
    for (let rounds = 1; rounds <= 3; rounds++) {
      await round();
      assert.deepEqual(rests, Array(rounds).fill(2));
    }
  });

  it("rests until the threads need it, by what they have, for a few milliseconds at most", async () => {
    for (const [ms, rest] of [
      [0.9, undefined],
      [1, 1],
      [1.5, 1],
      [3.5, 2.5],
      [100, 4],
      [Number.POSITIVE_INFINITY, 4],
    ] as const) {
      [aheadMs, rests] = [ms, []];
      moderation.look();
      await round();
      assert.deepEqual(rests, rest === undefined ? [] : [rest], `${ms} ms ahead`);
      aheadMs = 0;
      await round();
    }
  });

  it("does not rest where threads wait for something to do, nor asks for rounds of the event loop", async () => {
    aheadMs = 0;
    moderation.look();
    aheadMs = 3;
    await round();
    assert.deepEqual(rests, []);
  });

  it("rests no more once a thread has come to its last request, until it is told of others", async () => {
    moderation.look();
    await round();
    aheadMs = 0;
    await round();
    aheadMs = 3;
    await round();
    assert.equal(rests.length, 1);
    moderation.look();
    await round();
    assert.equal(rests.length, 2);
  });

  it("has what came meanwhile done before it rests again", async () => {
    const order: string[] = [];
    const sleeping = new Moderation(
      () => aheadMs,
      clock,
      () => {
        order.push("rest");
        // As a call that the system has taken in.
        setImmediate(() => order.push("call"));
      },
    );
    sleeping.look();
    for (let rounds = 0; rounds < 3; rounds++) await round();
    assert.deepEqual(order.slice(0, 4), ["rest", "call", "rest", "call"]);
  });

  it("looks again in place of a rest after a round that was as long as one", async () => {
    moderation.look();
    clock.advance(LEAST_REST_MS);
    await round();
    assert.deepEqual(rests, []);
    await round();
    assert.deepEqual(rests, [2]);
  });
});
