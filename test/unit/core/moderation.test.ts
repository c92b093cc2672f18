import assert from "node:assert/strict";
import { Moderation, REST_MS } from "../../../server/core/moderation.js";
import { FakeClock } from "../../support/fake-clock.js";

/** As often as the event loop goes round; after those that were asked for before. */
const round = () => new Promise<void>((resume) => setImmediate(resume));

describe("moderation", () => {
  let goOn: boolean;
  let rests: number[];
  let clock: FakeClock;
  let moderation: Moderation;
  beforeEach(() => {
    [goOn, rests, clock] = [true, [], new FakeClock()];
    moderation = new Moderation(
      () => goOn,
      clock,
      (ms) => rests.push(ms),
    );
  });
  afterEach(async () => {
    goOn = false;
    await round();
  });

  it("rests once a round while the threads go on, and not before this one is over", async () => {
    moderation.look();
    moderation.look();
    assert.deepEqual(rests, []);
    for (let rounds = 1; rounds <= 3; rounds++) {
      await round();
      assert.deepEqual(rests, Array(rounds).fill(REST_MS));
    }
  });

  it("does not rest where threads wait for something to do, nor asks for rounds of the event loop", async () => {
    goOn = false;
    moderation.look();
    goOn = true;
    await round();
    assert.deepEqual(rests, []);
  });

  it("rests no more once a thread has come to its last request, until it is told of others", async () => {
    moderation.look();
    await round();
    goOn = false;
    await round();
    goOn = true;
    await round();
    assert.equal(rests.length, 1);
    moderation.look();
    await round();
    assert.equal(rests.length, 2);
  });

  it("has what came meanwhile done before it rests again", async () => {
    const order: string[] = [];
    const sleeping = new Moderation(
      () => goOn,
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
    clock.advance(REST_MS);
    await round();
    assert.deepEqual(rests, []);
    await round();
    assert.deepEqual(rests, [REST_MS]);
  });
});
