import assert from "node:assert/strict";
import { type Backend, ModelError } from "../../server/backend/backend.js";
import { padded, rowsOf } from "../../server/backend/padding.js";

const MODEL = "sentiment_fast";
const ROWS = [
  [101, 1045, 2293, 2023, 102],
  [101, 6659, 102],
  [101, 1996, 3116, 2003, 2006, 9857, 1012, 102],
];

/** What every backend promises. `make` gives one whose repository holds sentiment_fast. */
export function backendContract(name: string, make: () => Promise<Backend>): void {
  describe(`Backend: ${name}`, function () {
    this.timeout(20_000);
    let backend: Backend;
    before(async () => {
      backend = await make();
      await backend.load(MODEL);
    });
    after(() => backend[Symbol.asyncDispose]());

    it("answers with three finite logits a row", async () => {
      const logits = await backend.infer(MODEL, padded(ROWS, 0));
      assert.equal(logits.length, ROWS.length * 3);
      assert.ok(logits.every(Number.isFinite));
    });

    it("gives a row the same answer alone and among longer ones", async () => {
      const together = rowsOf(await backend.infer(MODEL, padded(ROWS, 0)), ROWS.length);
      for (const [place, row] of ROWS.entries()) {
        const [alone = new Float32Array()] = rowsOf(
          await backend.infer(MODEL, padded([row], 0)),
          1,
        );
        for (const [label, logit] of alone.entries()) {
          assert.ok(Math.abs(logit - (together[place]?.[label] ?? Number.NaN)) < 0.01);
        }
      }
    });

    it("runs many batches at once, each answered with its own", async () => {
      const batches = Array.from({ length: 40 }, (_, n) => [ROWS[n % ROWS.length] ?? []]);
      const one = await Promise.all(ROWS.map((row) => backend.infer(MODEL, padded([row], 0))));
      const all = await Promise.all(batches.map((rows) => backend.infer(MODEL, padded(rows, 0))));
      for (const [place, logits] of all.entries()) {
        assert.deepEqual([...logits], [...(one[place % ROWS.length] ?? [])]);
      }
    });

    it("blames the batch for ids that the model does not have, and answers the next", async () => {
      await assert.rejects(backend.infer(MODEL, padded([[101, 9_999_999, 102]], 0)), ModelError);
      assert.equal((await backend.infer(MODEL, padded([[101, 102]], 0))).length, 3);
    });

    it("rejects a model that is not in the repository", async () => {
      await assert.rejects(backend.load("sentiment_unknown"));
      await assert.rejects(backend.infer("sentiment_unknown", padded([[101, 102]], 0)));
    });

    it("has a name and says how many batches it runs side by side", () => {
      assert.match(backend.name, /^[a-z]+$/);
      assert.ok(backend.concurrency >= 1);
    });
  });
}
