import assert from "node:assert/strict";
import { GivenUpError, InFlight } from "../../../../server/backend/triton/in-flight.js";
import { FakeClock } from "../../../support/fake-clock.js";
import { turn } from "../../../support/recorder.js";

const NOBODY = new AbortController().signal;
const [FAST, ACCURATE] = ["sentiment_fast/1", "sentiment_accurate/1"];

describe("InFlight", () => {
  let clock: FakeClock;
  let inFlight: InFlight;
  let isLive: () => Promise<boolean>;
  /** What the owner was told or asked. */
  let told: string[];

  beforeEach(() => {
    [clock, told, isLive] = [new FakeClock(), [], async () => true];
    inFlight = new InFlight(clock, {
      isLive: () => {
        told.push("live?");
        return isLive();
      },
      onSilent: () => told.push("silent"),
      onStuck: (model) => told.push(`stuck ${model}`),
    });
  });

  /** A batch that is answered when the test says so. */
  const send = (model = FAST, signal = NOBODY) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const outcome = inFlight.run(model, signal, (end) => {
      end.addEventListener("abort", () => reject(end.reason));
      return promise;
    });
    outcome.catch(() => {});
    return { outcome, answer: () => resolve("answer") };
  };
  const answered = async (batch: ReturnType<typeof send>) => {
    batch.answer();
    assert.equal(await batch.outcome, "answer");
  };
  const wait = async (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 250) {
      clock.advance(Math.min(250, ms - passedMs));
      for (let n = 0; n < 5; n++) await turn();
    }
  };
  const saysWhy = (message: string) => (error: unknown) =>
    error instanceof GivenUpError && error.message === message;
  const stuck = () => told.filter((what) => what !== "live?");

  it("counts what is under way, and looks at nothing where nothing is", async () => {
    const [one, other] = [send(), send()];
    assert.deepEqual([inFlight.count, clock.pending], [2, 1]);
    await answered(one);
    await answered(other);
    assert.deepEqual([inFlight.count, clock.pending], [0, 0]);
    assert.deepEqual(told, []);
  });

  it("knows whether anything came back lately", async () => {
    assert.equal(inFlight.heardWithin(1e9), false);
    await answered(send());
    await wait(1999);
    assert.equal(inFlight.heardWithin(2000), true);
    await wait(1);
    assert.equal(inFlight.heardWithin(2000), false);
  });

  it("rejects with the caller's reason where he leaves", async () => {
    const caller = new AbortController();
    const { outcome } = send(FAST, caller.signal);
    caller.abort(new Error("he left"));
    await assert.rejects(outcome, /he left/);
    assert.deepEqual([inFlight.count, clock.pending], [0, 0]);
  });

  it("asks a server that is quiet whether it is there, again and again, and waits for one that is", async () => {
    const batch = send();
    await wait(249);
    assert.deepEqual(told, []);
    await wait(1);
    assert.deepEqual(told, ["live?"]);
    await wait(8000);
    assert.equal(told.length, 33);
    await answered(batch);
    assert.deepEqual(stuck(), []);
  });

  it("does not ask one that answers", async () => {
    const slow = send();
    for (let n = 0; n < 20; n++) {
      await wait(200);
      await answered(send());
    }
    assert.deepEqual(told, []);
    await answered(slow);
  });

  it("gives up all that is under way where the server is silent", async () => {
    isLive = async () => false;
    const batches = [send(FAST), send(ACCURATE)];
    await wait(250);
    assert.deepEqual(told, ["live?", "silent"]);
    for (const { outcome } of batches)
      await assert.rejects(outcome, saysWhy("it does not answer at all"));
    assert.equal(clock.pending, 0);
  });

  it("asks once at a time, and believes a batch that came back meanwhile", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    isLive = () => promise;
    const batch = send();
    await wait(500);
    await answered(send());
    await wait(1500);
    assert.deepEqual(told, ["live?"]);
    resolve(false);
    for (let n = 0; n < 5; n++) await turn();
    assert.deepEqual(told, ["live?"]);
    await answered(batch);
  });

  it("gives a model up that answers nothing for half a minute, and leaves the others alone", async () => {
    const batches = [send(), send()];
    await wait(15_000);
    batches.push(send());
    const other = send(ACCURATE);
    await wait(14_750);
    assert.deepEqual(stuck(), []);
    await wait(250);
    assert.deepEqual(stuck(), [`stuck ${FAST}`]);
    for (const { outcome } of batches) await assert.rejects(outcome, saysWhy("no answer in 30 s"));
    assert.equal(inFlight.count, 1);
    await answered(other);
    const next = send();
    await wait(29_750);
    assert.deepEqual(stuck(), [`stuck ${FAST}`]);
    await answered(next);
  });

  it("finds a model out whose callers have less time than that", async () => {
    for (let n = 0; n < 4; n++) {
      const caller = new AbortController();
      const { outcome } = send(FAST, caller.signal);
      await wait(7500);
      caller.abort(new Error("too late"));
      await assert.rejects(outcome);
      // Nobody waits: that is no sign of anything.
      await wait(60_000);
    }
    assert.deepEqual(stuck(), [`stuck ${FAST}`]);
  });

  it("does not hold against the server what this process slept through", async () => {
    let look = () => {};
    let nowMs = 0;
    const sleepy = {
      now: () => nowMs,
      after: (_: number, run: () => void) => {
        look = run;
        return () => {};
      },
    };
    inFlight = new InFlight(sleepy, {
      isLive: async () => true,
      onSilent: () => told.push("silent"),
      onStuck: (model) => told.push(`stuck ${model}`),
    });
    const batch = send();
    nowMs = 3_600_000;
    look();
    for (let n = 0; n < 5; n++) await turn();
    assert.deepEqual(told, []);
    await answered(batch);
  });
});
