import assert from "node:assert/strict";
import {
  adaptedRows,
  type BatchLimits,
  type BatchMoment,
  type Budget,
  budgetOf,
  planBatch,
  type Range,
} from "../../../server/batch/plan.js";
import { type Draw, seeded } from "../seeded.js";

const LIMITS: BatchLimits = {
  rows: 32,
  minRows: 8,
  maxRows: 128,
  maxWork: 4096,
  maxPaddingRatio: 0.12,
  paddingCost: 1,
};
/** A budget of which only what is named can bind. */
const only = (budget: Partial<Budget>): Budget => ({
  rows: 1000,
  work: 1_000_000,
  paddingRatio: 1,
  paddingCost: 1,
  ...budget,
});

describe("adaptedRows", () => {
  const cases: readonly (readonly [queued: number, rows: number])[] = [
    [1, 8],
    [9, 8],
    [10, 32],
    [100, 32],
    [101, 25],
    [103, 25],
    [104, 26],
    [511, 127],
    [512, 128],
    [10_000, 128],
  ];
  for (const [queued, rows] of cases) {
    it(`allows ${rows} rows while ${queued} wait`, () => {
      assert.equal(adaptedRows(queued, LIMITS), rows);
    });
  }
});

describe("budgetOf", () => {
  const moment: BatchMoment = {
    queued: 200,
    free: 1,
    fixedTokens: undefined,
    msPerToken: undefined,
    isBulk: false,
  };
  const near = { work: 4096, paddingRatio: 0.12, paddingCost: 1 };

  it("cost: as much as pays, and a part for each free place", () => {
    const cost = (of: Partial<BatchMoment>) => budgetOf("cost", { ...moment, ...of }, LIMITS);
    const unknown = { ...near, fixedTokens: undefined };
    assert.deepEqual(cost({}), { ...unknown, rows: 128 });
    assert.deepEqual(cost({ queued: 100 }), { ...unknown, rows: 100 });
    assert.deepEqual(cost({ queued: 101, free: 2 }), { ...unknown, rows: 51 });
    assert.deepEqual(cost({ queued: 1, free: 3 }), { ...unknown, rows: 1 });
    assert.deepEqual(cost({ fixedTokens: 10 }), {
      ...near,
      rows: 128,
      work: 300,
      fixedTokens: 10,
    });
    assert.equal(cost({ fixedTokens: 900 }).work, 4096);
    // What is done within 20 ms, too; never less than pays, nor more than the limit.
    assert.equal(cost({ fixedTokens: 10, msPerToken: 0.04 }).work, 500);
    assert.equal(cost({ fixedTokens: 10, msPerToken: 0.5 }).work, 300);
    // Within 40 ms where all is bulk.
    assert.equal(cost({ fixedTokens: 10, msPerToken: 0.04, isBulk: true }).work, 1000);
    assert.equal(cost({ fixedTokens: 10, msPerToken: 0.5, isBulk: true }).work, 300);
    assert.equal(cost({ fixedTokens: 10, msPerToken: 0.001 }).work, 4096);
  });

  it("guide: rows by the length of the queue", () => {
    assert.deepEqual(budgetOf("guide", { ...moment, free: 4, fixedTokens: 1 }, LIMITS), {
      ...near,
      rows: 50,
    });
  });

  it("fifo: rows as they come, whatever padding costs", () => {
    const budget = budgetOf("fifo", moment, LIMITS);
    const lengths = [500, 2, 500, 2, ...Array<number>(40).fill(9)];
    assert.deepEqual(planBatch(lengths, 0, budget), { start: 0, end: 32 });
  });

  it("single: one row", () => {
    assert.deepEqual(planBatch([5, 5, 5], 1, budgetOf("single", moment, LIMITS)), {
      start: 1,
      end: 2,
    });
  });
});

describe("planBatch", () => {
  it("takes a row that waits alone", () => {
    assert.deepEqual(planBatch([7], 0, only({})), { start: 0, end: 1 });
  });

  it("takes all rows of one length", () => {
    assert.deepEqual(planBatch([9, 9, 9, 9], 2, only({})), { start: 0, end: 4 });
  });

  it("takes the rows nearest in length to the oldest, not the shortest ones", () => {
    const lengths = [1, 2, 50, 51, 52, 90];
    const limits = only({ rows: 3 });
    assert.deepEqual(planBatch(lengths, 3, limits), { start: 2, end: 5 });
    assert.deepEqual(planBatch(lengths, 0, limits), { start: 0, end: 3 });
    assert.deepEqual(planBatch(lengths, 5, limits), { start: 3, end: 6 });
  });

  it("takes the shorter of two rows that are equally near", () => {
    assert.deepEqual(planBatch([8, 10, 12], 1, only({ rows: 2 })), { start: 0, end: 2 });
  });

  it("takes no more rows than the limit", () => {
    const lengths = Array.from({ length: 50 }, () => 5);
    const { start, end } = planBatch(lengths, 25, only({ rows: 16 }));
    assert.equal(end - start, 16);
    assert.ok(start <= 25 && 25 < end);
  });

  it("fills the token budget to the brim, and not beyond it", () => {
    const lengths = [10, 10, 10, 10, 10];
    assert.deepEqual(planBatch(lengths, 0, only({ work: 40 })), { start: 0, end: 4 });
    assert.deepEqual(planBatch(lengths, 0, only({ work: 39 })), { start: 0, end: 3 });
  });

  it("counts padding in the token budget", () => {
    // Two rows of 10 tokens make 20, though only 11 are real.
    assert.deepEqual(planBatch([1, 10], 1, only({ work: 19 })), { start: 1, end: 2 });
    assert.deepEqual(planBatch([1, 10], 1, only({ work: 20 })), { start: 0, end: 2 });
  });

  it("lets the oldest go alone where it is over the token budget by itself", () => {
    const limits = only({ work: 100 });
    assert.deepEqual(planBatch([5, 6, 500], 2, limits), { start: 2, end: 3 });
    assert.deepEqual(planBatch([499, 500, 500], 1, limits), { start: 1, end: 2 });
  });

  it("allows padding up to the ratio, and not beyond it", () => {
    // 8 of 8 + 6 of 8 tokens: 2 of 16 are padding, 0.125.
    assert.deepEqual(planBatch([6, 8], 1, only({ paddingRatio: 0.125 })), { start: 0, end: 2 });
    assert.deepEqual(planBatch([6, 8], 1, only({ paddingRatio: 0.124 })), { start: 1, end: 2 });
  });

  it("takes rows of one length only where no padding is allowed", () => {
    const limits = only({ paddingRatio: 0 });
    assert.deepEqual(planBatch([7, 8, 8, 8, 9], 2, limits), { start: 1, end: 4 });
  });

  it("takes what costs least a token: padding against the batch's fixed cost", () => {
    const lengths = [8, 10, 10, 10];
    // 30 of 30 tokens and 5 fixed: 1.167 a token; with the fourth row 40 and 5 for 38: 1.184.
    assert.deepEqual(planBatch(lengths, 2, only({ fixedTokens: 5 })), { start: 1, end: 4 });
    // With 10 fixed: 1.333 against 1.316.
    assert.deepEqual(planBatch(lengths, 2, only({ fixedTokens: 10 })), { start: 0, end: 4 });
    // A dear row on the way to cheaper ones does not end it.
    assert.deepEqual(planBatch([9, 10, 10, 10], 0, only({ fixedTokens: 3 })), { start: 0, end: 4 });
  });

  it("counts padding by what it costs", () => {
    // 12 tokens and 8 of padding.
    const taken = (budget: Partial<Budget>) =>
      planBatch([2, 10], 1, only({ paddingCost: 0.25, ...budget }));
    const [both, alone] = [
      { start: 0, end: 2 },
      { start: 1, end: 2 },
    ];
    assert.deepEqual(taken({ work: 14 }), both);
    assert.deepEqual(taken({ work: 13 }), alone);
    assert.deepEqual(taken({ paddingRatio: 2 / 14 }), both);
    assert.deepEqual(taken({ paddingRatio: 0.14 }), alone);
    // 1.1 a token alone, 1.25 with the other; 1.08 where padding costs nothing.
    assert.deepEqual(taken({ fixedTokens: 1 }), alone);
    assert.deepEqual(taken({ fixedTokens: 1, paddingCost: 0 }), both);
  });

  it("leaves the queue as it was", () => {
    const lengths = Object.freeze([3, 4, 5, 6]);
    assert.deepEqual(planBatch(lengths, 1, only({})), planBatch(lengths, 1, only({})));
  });

  it("keeps every promise for 2000 random queues", () => {
    const draw = seeded(1);
    for (let round = 0; round < 2000; round++) checkQueue(draw, `round ${round}`);
  });
});

/** One random queue: the oldest goes, no limit is broken, and the nearest neighbour would break one. */
function checkQueue(draw: Draw, round: string): void {
  const most = draw(1, 4) === 1 ? 8 : 512;
  const lengths = Array.from({ length: draw(1, 250) }, () => draw(1, most)).sort((a, b) => a - b);
  const oldest = draw(0, lengths.length - 1);
  const budget: Budget = {
    rows: draw(1, 64),
    work: draw(1, 8192),
    paddingRatio: draw(0, 100) / 100,
    paddingCost: 1,
  };
  const range = planBatch(lengths, oldest, budget);
  assert.ok(0 <= range.start && range.end <= lengths.length, round);
  assert.ok(range.start <= oldest && oldest < range.end, round);
  assert.ok(range.end - range.start === 1 || allowed(lengths, range, budget), round);
  const wider = withNearest(lengths, range);
  assert.ok(wider === undefined || !allowed(lengths, wider, budget), round);
}

function allowed(lengths: readonly number[], { start, end }: Range, budget: Budget): boolean {
  const rows = lengths.slice(start, end);
  const padded = Math.max(...rows) * rows.length;
  const padding = rows.reduce((sum, length) => sum + Math.max(...rows) - length, 0);
  return (
    rows.length <= budget.rows && padded <= budget.work && padding <= padded * budget.paddingRatio
  );
}

function withNearest(lengths: readonly number[], { start, end }: Range): Range | undefined {
  const [shortest = 0, longest = 0] = [lengths[start], lengths[end - 1]];
  const neighbours = [
    { awayBy: shortest - (lengths[start - 1] ?? Number.NaN), start: start - 1, end },
    { awayBy: (lengths[end] ?? Number.NaN) - longest, start, end: end + 1 },
  ].filter(({ awayBy }) => !Number.isNaN(awayBy));
  return neighbours.sort((a, b) => a.awayBy - b.awayBy)[0];
}
