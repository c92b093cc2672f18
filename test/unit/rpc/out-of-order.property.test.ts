import assert from "node:assert/strict";
import fc from "fast-check";
import { outOfOrder } from "../../../server/rpc/out-of-order.js";
import { turn } from "../../support/recorder.js";

const BROKEN = new Error("the stream broke");

/** Turns of the event loop. */
const pause = async (turns: number): Promise<void> => {
  for (let left = turns; left > 0; left--) await turn();
};
const turns = fc.array(fc.nat(4), { minLength: 1, maxLength: 30 });

interface Course {
  /** What each item takes, in turns. */
  readonly work: readonly number[];
  /** Between the items, and between the reader's looks. */
  readonly gaps: readonly number[];
  readonly limit: number;
  readonly breaks: boolean;
}
const course: fc.Arbitrary<Course> = fc.record({
  work: turns,
  gaps: turns,
  limit: fc.integer({ min: 1, max: 6 }),
  breaks: fc.boolean(),
});

/** Runs it to the end; counts what is open on the way. */
async function run({ work, gaps, limit, breaks }: Course, takes: number) {
  const seen = { open: 0, most: 0, closed: false };
  const gapAt = (place: number) => gaps[place % gaps.length] ?? 0;
  async function* items() {
    try {
      for (const place of work.keys()) {
        await pause(gapAt(place));
        yield place;
      }
      if (breaks) throw BROKEN;
    } finally {
      seen.closed = true;
    }
  }
  const results: number[] = [];
  let thrown: unknown;
  try {
    const all = outOfOrder(items(), limit, async (place) => {
      seen.open++;
      seen.most = Math.max(seen.most, seen.open);
      await pause(work[place] ?? 0);
      return place;
    });
    for await (const place of all) {
      seen.open--;
      results.push(place);
      if (results.length === takes) break;
      await pause(gapAt(results.length + 1));
    }
  } catch (error) {
    thrown = error;
  }
  return { results, thrown, seen };
}

describe("a stream of any course", () => {
  it("gives one result an item, none twice, within its limit, and then its end", async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { results, thrown, seen } = await run(given, Number.POSITIVE_INFINITY);
        assert.deepEqual(
          results.toSorted((one, other) => one - other),
          [...given.work.keys()],
        );
        assert.equal(thrown, given.breaks ? BROKEN : undefined);
        assert.ok(seen.most <= given.limit, `${seen.most} open`);
        assert.ok(seen.closed);
      }),
      { seed: 1, numRuns: 100 },
    );
  }).timeout(20_000);

  it("is read no further once its reader has left, wherever that is", async () => {
    await fc.assert(
      fc.asyncProperty(course, fc.integer({ min: 1, max: 10 }), async (given, takes) => {
        const { results, seen } = await run(given, takes);
        assert.equal(new Set(results).size, results.length);
        // For what it waits for at that moment.
        await pause(12);
        assert.ok(seen.closed);
      }),
      { seed: 1, numRuns: 100 },
    );
  }).timeout(20_000);
});
