import assert from "node:assert/strict";
import { Batcher, type BatcherOptions } from "../../../server/batch/batcher.js";
import { Singles } from "../../../server/batch/singles.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { type HeldRun, heldRuns, turn } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";
import { ANY_LENGTHS } from "./any-lengths.js";

const OPTIONS: BatcherOptions = {
  singles: new Singles(),
  limits: ANY_LENGTHS,
  concurrency: 1,
  maxInFlight: 1,
  maxQueuedRows: 1000,
  policy: "guide",
  maxWaitMs: 60_000,
  blames: () => false,
  events: NO_EVENTS,
  tier: "balanced",
};
const row = (tokens: number) => Array<number>(tokens).fill(1);

describe("what a batch costs its calls", () => {
  let read: string[];
  let runs: readonly HeldRun[];
  let batcher: Batcher;
  let leaving: AbortController;
  beforeEach(() => {
    read = [];
    const [run, held] = heldRuns();
    runs = held;
    batcher = new Batcher(run, OPTIONS, new FakeClock());
    leaving = new AbortController();
  });
  const submit = (name: string, ...lengths: readonly number[]) => {
    const charge = {
      read: (tier: string, tokens: number) => void read.push(`${name}: ${tier} ${tokens}`),
    };
    return batcher.submit(lengths.map(row), someCall({ signal: leaving.signal, charge }));
  };

  it("is the tokens of their own rows, once the model has read them", async () => {
    const answers = [submit("one", 4, 6), submit("other", 5)];
    await turn();
    assert.deepEqual(read, []);
    runs[0]?.answer();
    await Promise.all(answers);
    assert.deepEqual(read.toSorted(), ["one: balanced 4", "one: balanced 6", "other: balanced 5"]);
  });

  it("is nothing where the model fails, or has not begun when the caller leaves", async () => {
    const failing = submit("failing", 4);
    await turn();
    const waiting = assert.rejects(submit("waiting", 5));
    leaving.abort(new Error("left"));
    await waiting;
    runs[0]?.fail(new Error("down"));
    await assert.rejects(failing);
    await turn();
    assert.deepEqual([read, runs.length], [[], 1]);
  });

  it("is to be paid by who leaves while the model works for him", async () => {
    const left = assert.rejects(submit("leaver", 4));
    await turn();
    leaving.abort(new Error("left"));
    await left;
    runs[0]?.answer();
    await turn();
    assert.deepEqual(read, ["leaver: balanced 4"]);
  });
});
