import assert from "node:assert/strict";
import fc from "fast-check";
import { type QueuedRow, RowQueue } from "../../../server/batch/row-queue.js";
import type { Call } from "../../../server/core/call.js";

const CALLS = [1, 2, 3].map((deadlineMs): Call => ({ deadlineMs, traceparent: undefined }));

/** A row with the place of its arrival still to come. */
const row = fc.record({
  length: fc.integer({ min: 1, max: 9 }),
  dueMs: fc.integer({ min: 0, max: 5 }),
  deadlineMs: fc.constantFrom(0, 5, Number.POSITIVE_INFINITY),
  holder: fc.constantFrom("a", "b"),
  call: fc.constantFrom(undefined, ...CALLS),
});

/** The queue, and beside it a list of the same rows, sorted anew whenever it is asked. */
class Pair {
  readonly queue: RowQueue<QueuedRow>;
  #rows: QueuedRow[] = [];
  #arrivals = 0;
  readonly #byArrival: boolean;

  constructor(byArrival: boolean) {
    this.#byArrival = byArrival;
    this.queue = new RowQueue(byArrival);
  }

  insert({ length, ...rest }: { length: number } & Omit<QueuedRow, "ids" | "order">): void {
    const added = { ...rest, ids: Array<number>(length).fill(0), order: this.#arrivals++ };
    this.queue.insert(added);
    this.#rows.push(added);
    const byLength = this.#byArrival ? 0 : 1;
    this.#rows.sort(
      (one, other) => byLength * (one.ids.length - other.ids.length) || one.order - other.order,
    );
  }

  take(from: number, count: number): void {
    const start = from % (this.#rows.length || 1);
    const range = { start, end: Math.min(this.#rows.length, start + count) };
    assert.deepEqual(this.queue.take(range), this.#rows.splice(start, range.end - start));
  }

  remove(holder: string): void {
    this.queue.remove(new Set(this.#rows.filter((one) => one.holder === holder)));
    this.#rows = this.#rows.filter((one) => one.holder !== holder);
  }

  check(dueMs: number, untilMs: number): void {
    const rows = this.#rows;
    assert.deepEqual(
      this.queue.lengths(),
      rows.map(({ ids }) => ids.length),
    );
    assert.deepEqual([this.queue.size, this.queue.tokens], [rows.length, tokensOf(rows)]);
    const inTurn = this.#byArrival
      ? rows[0]
      : rows.toSorted((one, other) => one.dueMs - other.dueMs || one.order - other.order)[0];
    assert.equal(this.queue.first()?.row, inTurn);
    if (inTurn !== undefined) assert.equal(rows[this.queue.first()?.place ?? -1], inTurn);
    const who = { holder: "a", call: CALLS[0] };
    const ahead = rows.filter((one) => one.dueMs <= dueMs || one.deadlineMs < untilMs);
    assert.deepEqual(this.queue.ahead(who, dueMs, untilMs), {
      all: tokensOf(ahead),
      own: tokensOf(ahead.filter((one) => one.holder === "a")),
      others: tokensOf(ahead.filter((one) => one.call !== CALLS[0])),
    });
  }
}

const tokensOf = (rows: readonly QueuedRow[]): number =>
  rows.reduce((sum, { ids }) => sum + ids.length, 0);

type Step = (pair: Pair) => void;
const inserted = row.map(
  (added): Step =>
    (pair) =>
      pair.insert(added),
);
const taken = fc.tuple(fc.nat(30), fc.nat(4)).map(
  ([from, count]): Step =>
    (pair) =>
      pair.take(from, count),
);
const removed = fc.constantFrom("a", "b").map(
  (holder): Step =>
    (pair) =>
      pair.remove(holder),
);
const step = fc.oneof(
  { weight: 8, arbitrary: inserted },
  { weight: 2, arbitrary: taken },
  { weight: 1, arbitrary: removed },
);

describe("the queue of rows beside a sorted list", () => {
  it("has the same rows in the same order and turn, and counts the same tokens ahead", () => {
    const looked = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 6 }));
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(step, { maxLength: 40 }),
        looked,
        (byArrival, steps, at) => {
          const pair = new Pair(byArrival);
          for (const take of steps) {
            take(pair);
            pair.check(...at);
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});
