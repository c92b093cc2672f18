import assert from "node:assert/strict";
import fc from "fast-check";
import { runHalving } from "../../../server/batch/halving.js";

const BAD = new Error("the model broke on a row");
const DOWN = new Error("the backend is down");

describe("a batch with any rows that break the model", () => {
  it("fails those and no others, each answered as itself, in few runs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 64 }), async (areBad) => {
        const rows = areBad.map((_, place) => [place]);
        let runs = 0;
        const outcomes = await runHalving(
          rows,
          async (some) => {
            runs++;
            if (some.some(([place = 0]) => areBad[place])) throw BAD;
            return some.map(([place]) => place);
          },
          (error) => error === BAD,
        );
        const expected = areBad.map((isBad, value) =>
          isBad ? { status: "rejected", reason: BAD } : { status: "fulfilled", value },
        );
        assert.deepEqual(outcomes, expected);
        const bad = areBad.filter(Boolean).length;
        assert.ok(runs <= 1 + 2 * bad * Math.ceil(Math.log2(rows.length)), `${runs} runs`);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("has one outcome a row where the backend goes down at any run, and asks no more of those", async () => {
    const bad = fc.array(fc.boolean(), { minLength: 1, maxLength: 32 });
    await fc.assert(
      fc.asyncProperty(bad, fc.nat(40), async (areBad, downAt) => {
        let runs = 0;
        const outcomes = await runHalving(
          areBad.map((_, place) => [place]),
          async (some) => {
            if (runs++ >= downAt) throw DOWN;
            if (some.some(([place = 0]) => areBad[place])) throw BAD;
            return some.map(([place]) => place);
          },
          (error) => error === BAD,
        );
        assert.equal(outcomes.length, areBad.length);
        for (const [place, outcome] of outcomes.entries()) {
          if (outcome.status === "fulfilled") assert.equal(outcome.value, place);
          else assert.ok(outcome.reason === DOWN || areBad[place]);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
