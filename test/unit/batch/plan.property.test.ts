import assert from "node:assert/strict";
import fc from "fast-check";
import { type Budget, planBatch, type Range } from "../../../server/batch/plan.js";

const queue = fc.tuple(
  fc.array(fc.integer({ min: 1, max: 512 }), { minLength: 1, maxLength: 120 }),
  fc.nat(),
);
const budget = fc.record({
  rows: fc.integer({ min: 1, max: 64 }),
  work: fc.integer({ min: 1, max: 4096 }),
  paddingRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  paddingCost: fc.double({ min: 0, max: 1, noNaN: true }),
  fixedTokens: fc.integer({ min: 1, max: 500 }),
});

/** What a token of the range costs; undefined: the range is over the budget. */
function costOf(lengths: readonly number[], { start, end }: Range, limits: Budget) {
  const rows = lengths.slice(start, end);
  const tokens = rows.reduce((sum, length) => sum + length, 0);
  const padding = limits.paddingCost * (Math.max(...rows) * rows.length - tokens);
  const work = tokens + padding;
  const isWithin =
    rows.length <= limits.rows &&
    work <= limits.work &&
    work - tokens <= work * limits.paddingRatio;
  return isWithin ? ((limits.fixedTokens ?? 0) + work) / tokens : undefined;
}

/** The ranges of a row more: to one side, and to the other. */
const widerThan = ({ start, end }: Range, rows: number): readonly Range[] =>
  [
    { start: start - 1, end },
    { start, end: end + 1 },
  ].filter((wider) => wider.start >= 0 && wider.end <= rows);

/** The row next in length would make it dearer, or take it over the budget. */
function assertNoneIsMissing(lengths: readonly number[], range: Range, limits: Budget): void {
  const cost = costOf(lengths, range, limits) ?? Number.NEGATIVE_INFINITY;
  for (const wider of widerThan(range, lengths.length)) {
    const its = isNearer(lengths, range, wider) ? costOf(lengths, wider, limits) : undefined;
    assert.ok(its === undefined || cost < its, `${cost} and ${its}`);
  }
}

describe("a batch that is planned by cost", () => {
  it("has the first in turn, is within the budget, and no neighbour more would make it cheaper", () => {
    fc.assert(
      fc.property(queue, budget, ([drawn, place], limits) => {
        const lengths = drawn.toSorted((one, other) => one - other);
        const first = place % lengths.length;
        const range = planBatch(lengths, first, limits);
        assert.ok(0 <= range.start && range.start <= first);
        assert.ok(first < range.end && range.end <= lengths.length);
        const isAlone = range.end - range.start === 1;
        // Alone it goes whatever the budget says.
        assert.ok(isAlone || costOf(lengths, range, limits) !== undefined);
        assertNoneIsMissing(lengths, range, limits);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

/** Whether the row that `wider` has more is the nearer one of the two that stand beside `range`. */
function isNearer(lengths: readonly number[], range: Range, wider: Range): boolean {
  const [shortest = 0, longest = 0] = [lengths[range.start], lengths[range.end - 1]];
  const down = shortest - (lengths[range.start - 1] ?? Number.NEGATIVE_INFINITY);
  const up = (lengths[range.end] ?? Number.POSITIVE_INFINITY) - longest;
  return wider.start < range.start ? down <= up : up < down;
}
