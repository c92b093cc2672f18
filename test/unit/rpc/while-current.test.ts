import assert from "node:assert/strict";
import { whileCurrent } from "../../../server/rpc/while-current.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

const SECOND = 1000;

describe("whileCurrent", () => {
  let clock: FakeClock;
  let isGood: boolean;
  let ended: boolean;
  let cuts: number;
  beforeEach(() => {
    clock = new FakeClock();
    [isGood, ended, cuts] = [true, false, 0];
  });
  /** Two answers, and then what `rest` waits for. */
  const stream = (rest: () => Promise<unknown>) => {
    async function* steps() {
      try {
        yield "one";
        yield "two";
        await rest();
        return "the end";
      } finally {
        ended = true;
      }
    }
    return whileCurrent(
      steps(),
      () => isGood,
      clock,
      () => void cuts++,
    );
  };
  const never = () => new Promise(() => {});

  it("passes on all answers and the end, and looks no more then", async () => {
    const steps = stream(async () => {});
    assert.deepEqual(await steps.next(), { done: false, value: "one" });
    clock.advance(10 * SECOND);
    assert.deepEqual(await steps.next(), { done: false, value: "two" });
    assert.deepEqual(await steps.next(), { done: true, value: "the end" });
    assert.ok(ended);
    assert.equal(clock.pending, 0);
  });

  it("passes on what the stream throws", async () => {
    const steps = stream(() => Promise.reject(new Error("broken")));
    await steps.next();
    await steps.next();
    await assert.rejects(steps.next(), /broken/);
    assert.equal(clock.pending, 0);
  });

  it("ends a stream that waits within a second", async () => {
    const steps = stream(never);
    await steps.next();
    await steps.next();
    const waiting = assert.rejects(steps.next(), { reason: "KEY_UNKNOWN" });
    isGood = false;
    clock.advance(SECOND);
    await waiting;
    // It does nothing to a call that is over.
    clock.advance(SECOND);
    assert.deepEqual([clock.pending, cuts], [0, 1]);
  });

  it("ends a stream that nobody reads as soon as somebody does, and it takes no further step", async () => {
    const steps = stream(never);
    await steps.next();
    isGood = false;
    clock.advance(SECOND);
    await assert.rejects(steps.next(), { reason: "KEY_UNKNOWN" });
    await turn();
    assert.ok(ended);
    assert.equal(cuts, 0);
  });

  it("has the call cut of a stream that nobody reads", async () => {
    const steps = stream(never);
    await steps.next();
    isGood = false;
    clock.advance(SECOND);
    clock.advance(SECOND - 1);
    assert.equal(cuts, 0);
    clock.advance(1);
    assert.deepEqual([clock.pending, cuts], [0, 1]);
    await steps.return("cut");
    assert.ok(ended);
  });

  it("ends the stream whose reader leaves", async () => {
    const steps = stream(never);
    await steps.next();
    await steps.return("left");
    assert.ok(ended);
    assert.equal(clock.pending, 0);
  });
});
