import assert from "node:assert/strict";
import { LateError, within } from "../../../server/core/within.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

describe("within", () => {
  it("gives the promise's outcome, and no timer is left", async () => {
    const clock = new FakeClock();
    assert.equal(await within(1000, clock, Promise.resolve("it")), "it");
    await assert.rejects(within(1000, clock, Promise.reject(new Error("no"))), /no/);
    assert.equal(clock.pending, 0);
  });

  for (const limitMs of [20, 250, 600]) {
    it(`is late after ${limitMs} ms`, async () => {
      const clock = new FakeClock();
      const late = within(limitMs, clock, new Promise(() => {}));
      let isOver = false;
      late.catch(() => {
        isOver = true;
      });
      clock.advance(limitMs - 1);
      await turn();
      assert.equal(isOver, false);
      clock.advance(1);
      await assert.rejects(late, LateError);
      assert.equal(clock.pending, 0);
    });
  }

  it("takes an answer that came in time to a process that slept meanwhile", async () => {
    let wake = () => {};
    const sleepy = {
      now: () => 0,
      after: (_: number, run: () => void) => {
        wake = run;
        return () => {};
      },
    };
    const { promise, resolve } = Promise.withResolvers<string>();
    const answer = within(1000, sleepy, promise);
    wake();
    await turn();
    resolve("it");
    assert.equal(await answer, "it");
  });
});
