import assert from "node:assert/strict";
import fc from "fast-check";
import { padded, rowsOf } from "../../../server/backend/padding.js";

const ids = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 40 });

describe("rows of any lengths", () => {
  it("stand in the batch as they were, and all else is masked padding", () => {
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 20 }), fc.nat(100), (rows, padId) => {
        const batch = padded(rows, padId);
        assert.deepEqual(
          [batch.rows, batch.tokens],
          [rows.length, Math.max(0, ...rows.map(({ length }) => length))],
        );
        for (const [place, row] of rows.entries()) {
          const [start, end] = [place * batch.tokens, (place + 1) * batch.tokens];
          const empty = Array<number>(batch.tokens - row.length);
          const inputIds = [...batch.inputIds.slice(start, end)].map(Number);
          const mask = [...batch.attentionMask.slice(start, end)].map(Number);
          assert.deepEqual(inputIds, [...row, ...empty.fill(padId)]);
          assert.deepEqual(mask, [...row.map(() => 1), ...empty.fill(0)]);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("are cut out of the logits without a value too many or too few", () => {
    const classes = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), classes, (rows, count) => {
        const logits = Float32Array.from({ length: rows * count }, (_, place) => place);
        const cut = rowsOf(logits, rows);
        assert.equal(cut.length, rows);
        assert.ok(cut.every(({ length }) => length === count));
        assert.deepEqual(Float32Array.from(cut.flatMap((row) => [...row])), logits);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
