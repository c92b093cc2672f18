import assert from "node:assert/strict";
import fc from "fast-check";
import { type QueuedRow, RowQueue } from "../../../server/batch/row-queue.js";
import { holderOf } from "../../../server/core/call.js";
import { someCall } from "../../support/some-call.js";

/** Where a call comes from: two of them are of one holder. */
const ORIGINS = [{ holder: "a" }, { holder: "a" }, { holder: "b" }];

/** A row with the place of its arrival still to come. */
const row = fc.record({
  length: fc.integer({ min: 1, max: 9 }),
  due: fc.integer({ min: 0, max: 5 }),
  call: fc
    .record({
      deadlineMs: fc.constantFrom(0, 5, Number.POSITIVE_INFINITY),
      origin: fc.constantFrom(...ORIGINS),
    })
    .map(someCall),
});

/** The queue, and beside it a list of the same rows, sorted anew whenever it is asked. */
class Pair {
  readonly queue: RowQueue<QueuedRow>;
  #rows: QueuedRow[] = [];
  #arrivals = 0;
  readonly #byArrival: boolean;

  constructor(byArrival: boolean) {
    this.#byArrival = byArrival;
    this.queue = new RowQueue(byArrival, 10_000);
  }

  insert({ length, ...rest }: { length: number } & Omit<QueuedRow, "ids" | "order">): void {
    const added = { ...rest, ids: Array<number>(length).fill(0), order: this.#arrivals++ };
    this.queue.insert(added);
    this.#rows.push(added);
    const byDue = this.#byArrival ? 0 : 1;
    this.#rows.sort((one, other) => byDue * (one.due - other.due) || one.order - other.order);
  }

  /** Every other one of those that are next. */
  take(tokens: number): void {
    const rows = this.#next(tokens).filter((_, place) => place % 2 === 0);
    this.queue.take(rows);
    this.#rows = this.#rows.filter((one) => !rows.includes(one));
  }

  #next(tokens: number): readonly QueuedRow[] {
    const isNext = (place: number) => place === 0 || tokensOf(this.#rows.slice(0, place)) < tokens;
    const next = this.#rows.filter((_, place) => isNext(place));
    return this.#byArrival
      ? next
      : next.toSorted((one, other) => one.ids.length - other.ids.length || one.order - other.order);
  }

  remove(holder: string): void {
    const isOfHolder = ({ call }: QueuedRow) => holderOf(call) === holder;
    this.queue.remove(this.#rows.filter(isOfHolder));
    this.#rows = this.#rows.filter((one) => !isOfHolder(one));
  }

  check(due: number, untilMs: number, tokens: number): void {
    const rows = this.#rows;
    // Tokens first: what has left must be forgotten whichever is asked for.
    assert.deepEqual([this.queue.tokens, this.queue.size], [tokensOf(rows), rows.length]);
    assert.equal(this.queue.first, rows[0]);
    assert.deepEqual(this.queue.next(tokens), this.#next(tokens));
    const isAhead = (one: QueuedRow) => one.due <= due || one.call.deadlineMs < untilMs;
    const ahead = rows.filter((one) => this.#byArrival || isAhead(one));
    for (const origin of ORIGINS)
      assert.deepEqual(this.queue.ahead(someCall({ origin }), due, untilMs), {
        all: tokensOf(ahead),
        own: tokensOf(ahead.filter(({ call }) => holderOf(call) === origin.holder)),
        others: tokensOf(ahead.filter(({ call }) => call.origin !== origin)),
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
const tokens = fc.oneof(fc.nat(40), fc.constant(Number.POSITIVE_INFINITY));
const taken = tokens.map(
  (most): Step =>
    (pair) =>
      pair.take(most),
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
  it("has the same rows in turn and next, and counts the same tokens ahead", () => {
    const looked = fc.tuple(fc.nat(5), fc.nat(6), tokens);
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
