import assert from "node:assert/strict";
import { type Backend, ModelError, type ModelVersion } from "../../server/backend/backend.js";
import { padded, rowsOf } from "../../server/backend/padding.js";
import { collectGarbage } from "../support/collect-garbage.js";
import { ANYTIME, modelVersion } from "../support/model-version.js";

const ROWS = [
  [101, 1045, 2293, 2023, 102],
  [101, 6659, 102],
  [101, 1996, 3116, 2003, 2006, 9857, 1012, 102],
];

/** What every backend promises. `make` gives one of the repository that tests share. */
export function backendContract(name: string, make: () => Promise<Backend>): void {
  describe(`Backend: ${name}`, function () {
    this.timeout(20_000);
    let backend: Backend;
    let model: ModelVersion;
    const infer = (rows: readonly (readonly number[])[], of = model) =>
      backend.infer(of, padded(rows, 0), ANYTIME);
    const logitsOf = async (rows: readonly (readonly number[])[]) => (await infer(rows)).logits;
    before(async () => {
      model = await modelVersion("fast");
      backend = await make();
      await backend.load(model);
    });
    after(() => backend[Symbol.asyncDispose]());

    it("answers with three finite logits a row", async () => {
      const logits = await logitsOf(ROWS);
      assert.equal(logits.length, ROWS.length * 3);
      assert.ok(logits.every(Number.isFinite));
    });

    it("gives a row the same answer alone and among longer ones", async () => {
      const together = rowsOf(await logitsOf(ROWS), ROWS.length);
      for (const [place, row] of ROWS.entries()) {
        const [alone = new Float32Array()] = rowsOf(await logitsOf([row]), 1);
        for (const [label, logit] of alone.entries()) {
          assert.ok(Math.abs(logit - (together[place]?.[label] ?? Number.NaN)) < 0.01);
        }
      }
    });

    it("runs many batches at once, each answered with its own", async () => {
      const batches = Array.from({ length: 40 }, (_, n) => [ROWS[n % ROWS.length] ?? []]);
      const one = await Promise.all(ROWS.map((row) => logitsOf([row])));
      const all = await Promise.all(batches.map((rows) => logitsOf(rows)));
      for (const [place, logits] of all.entries()) {
        assert.deepEqual([...logits], [...(one[place % ROWS.length] ?? [])]);
      }
    });

    it("blames the batch for ids that the model does not have, and answers the next", async () => {
      await assert.rejects(logitsOf([[101, 9_999_999, 102]]), ModelError);
      assert.equal((await logitsOf([[101, 102]])).length, 3);
    });

    it("rejects a model that is not in the repository", async () => {
      const unknown = { ...model, name: "sentiment_unknown", onnxPath: "nowhere/model.onnx" };
      await assert.rejects(backend.load(unknown));
      await assert.rejects(infer([[101, 102]], unknown));
    });

    it("says which model of which backend has answered", async () => {
      const { version } = await infer([[101, 102]]);
      assert.equal(version, `${model.version}+${backend.name}.${model.digest.slice(0, 8)}`);
    });

    it("does not work for callers that have left", async () => {
      const signal = AbortSignal.abort(new Error("they left"));
      const batch = padded([[101, 102]], 0);
      await assert.rejects(backend.infer(model, batch, { ...ANYTIME, signal }), /they left/);
    });

    it("loads a model again after it was unloaded, and loads one twice without harm", async () => {
      const before = await logitsOf(ROWS);
      await backend.load(model);
      await backend.unload(model);
      await assert.rejects(infer(ROWS));
      await backend.load(model);
      assert.ok(backend.isUp(model));
      assert.deepEqual(await logitsOf(ROWS), before);
    });

    it("holds nothing of what it has answered", async () => {
      const answers: WeakRef<Float32Array>[] = [];
      for (let count = 0; count < 20; count++)
        answers.push(new WeakRef(await logitsOf([[101, 102]])));
      // A weak reference holds until the turn in which it was made has ended.
      await new Promise((next) => setImmediate(next));
      collectGarbage();
      const held = answers.filter((answer) => answer.deref() !== undefined);
      // The last one may still be on its way out.
      assert.ok(held.length <= 2, `${held.length} of ${answers.length}`);
    });

    it("has a name and says how many batches it runs side by side", () => {
      assert.match(backend.name, /^[a-z]+$/);
      assert.ok(backend.concurrency >= 1);
    });
  });
}
