import assert from "node:assert/strict";
import { runHalving } from "../../../server/batch/halving.js";
import { recorder } from "../../support/recorder.js";
import { reasonOf, resultOf } from "../outcomes.js";

type Rows = readonly (readonly number[])[];

const refused = new Error("the model refused the batch");
const always = () => true;
const numbered = (count: number): Rows => Array.from({ length: count }, (_, row) => [row]);
/** A model that fails on any batch with one of the bad rows in it, and else answers 10 times the row's id. */
const modelThatRefuses = (...bad: readonly number[]) =>
  recorder(async (rows: Rows) => {
    if (rows.some(([id]) => bad.includes(id ?? -1))) throw refused;
    return rows.map(([id = 0]) => id * 10);
  });

describe("runHalving", () => {
  it("runs a good batch once", async () => {
    const [run, calls] = modelThatRefuses();
    const outcomes = await runHalving(numbered(5), run, always);
    assert.deepEqual(outcomes.map(resultOf), [0, 10, 20, 30, 40]);
    assert.deepEqual(calls, [[numbered(5)]]);
  });

  for (const bad of [0, 3, 7]) {
    it(`finds bad row ${bad} of 8, and answers the other seven in their order`, async () => {
      const [run, calls] = modelThatRefuses(bad);
      const outcomes = await runHalving(numbered(8), run, always);
      assert.equal(reasonOf(outcomes[bad]), refused);
      const good = outcomes.flatMap((outcome, row) => (row === bad ? [] : [resultOf(outcome)]));
      assert.deepEqual(
        good,
        [0, 10, 20, 30, 40, 50, 60, 70].filter((value) => value !== bad * 10),
      );
      // The whole, then two halves on each of three levels: 2 log2(8) further runs.
      assert.equal(calls.length, 7);
    });
  }

  it("finds several bad rows among an odd number", async () => {
    const [run] = modelThatRefuses(0, 4, 10);
    const outcomes = await runHalving(numbered(11), run, always);
    const statuses = outcomes.map(({ status }) => (status === "rejected" ? "x" : "."));
    assert.equal(statuses.join(""), "x...x.....x");
  });

  it("halves a batch of bad rows down to each, and rejects all", async () => {
    const [run, calls] = modelThatRefuses(0, 1, 2, 3);
    const outcomes = await runHalving(numbered(4), run, always);
    assert.deepEqual(outcomes.map(reasonOf), [refused, refused, refused, refused]);
    assert.deepEqual(
      calls.map(([rows]) => rows.length),
      [4, 2, 1, 1, 2, 1, 1],
    );
  });

  it("tries a single row once", async () => {
    const [run, calls] = modelThatRefuses(0);
    const [outcome] = await runHalving([[0]], run, always);
    assert.equal(reasonOf(outcome), refused);
    assert.equal(calls.length, 1);
  });

  it("fails all rows at once for an error that no row can be blamed for", async () => {
    const down = new Error("the backend is down");
    const [run, calls] = recorder(async (_rows: Rows): Promise<number[]> => {
      throw down;
    });
    const [blames, asked] = recorder((_error: unknown) => false);
    const outcomes = await runHalving(numbered(4), run, blames);
    assert.deepEqual(outcomes.map(reasonOf), [down, down, down, down]);
    assert.equal(calls.length, 1);
    assert.deepEqual(asked, [[down]]);
  });

  it("stops halving when the backend goes down meanwhile, and keeps what was answered", async () => {
    const down = new Error("the backend is down");
    const [run, calls] = recorder(async (rows: Rows) => {
      if (rows.length === 4) throw refused;
      if (rows[0]?.[0] === 2) throw down;
      return rows.map(([id = 0]) => id * 10);
    });
    const outcomes = await runHalving(numbered(4), run, (error) => error === refused);
    assert.deepEqual(outcomes.slice(0, 2).map(resultOf), [0, 10]);
    assert.deepEqual(outcomes.slice(2).map(reasonOf), [down, down]);
    assert.equal(calls.length, 3);
  });

  for (const count of [0, 2, 4]) {
    it(`rejects all rows when ${count} results come for 3`, async () => {
      const run = async () => Array.from({ length: count }, () => 1);
      const outcomes = await runHalving(numbered(3), run, () => false);
      for (const outcome of outcomes) {
        const reason = reasonOf(outcome);
        assert.ok(reason instanceof Error);
        assert.equal(reason.message, `3 rows went in, ${count} came out`);
      }
      assert.equal(outcomes.length, 3);
    });
  }

  it("takes a model that throws at once like one that rejects", async () => {
    const outcomes = await runHalving(
      numbered(2),
      () => {
        throw refused;
      },
      always,
    );
    assert.deepEqual(outcomes.map(reasonOf), [refused, refused]);
  });
});
