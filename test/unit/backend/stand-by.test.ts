import assert from "node:assert/strict";
import { type Backend, ModelError } from "../../../server/backend/backend.js";
import { padded } from "../../../server/backend/padding.js";
import { standBy } from "../../../server/backend/stand-by.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { ANYTIME } from "../../support/model-version.js";
import { type ScriptedBackend, scriptedBackend } from "../../support/scripted-backend.js";
import { someVersion } from "./some-version.js";

const MODEL = someVersion();
const OTHER = someVersion({ name: "sentiment_accurate", version: 7 });
const down = () => new ServiceError("BACKEND_DOWN", "gone");

describe("standBy", () => {
  let clock: FakeClock;
  let first: ScriptedBackend;
  let second: ScriptedBackend;
  let causes: string[];
  let backend: Backend;
  const infer = (model = MODEL) => backend.infer(model, padded([[1, 2], [3]], 0), ANYTIME);
  /** How many of that many batches the first one gets. */
  const shareOf = async (count: number, model = MODEL) => {
    const before = first.batches.length;
    for (let n = 0; n < count; n++) await infer(model);
    return (first.batches.length - before) / count;
  };
  const fail = async (error: Error) => {
    const usual = first.onInfer;
    first.onInfer = () => Promise.reject(error);
    await infer().catch(() => {});
    first.onInfer = usual;
  };

  beforeEach(() => {
    clock = new FakeClock();
    [first, second, causes] = [scriptedBackend("first"), scriptedBackend("second"), []];
    backend = standBy(first, second, clock, (cause) => causes.push(cause));
  });

  it("is the first one, as long as that is well", async () => {
    assert.equal((await infer()).version, "1+first.aaaaaaaa");
    assert.equal(await shareOf(100), 1);
    assert.deepEqual([second.asked, causes], [[], []]);
    assert.equal(backend.name, "first");
  });

  it("asks the second at once while the first is down", async () => {
    first.up = false;
    assert.equal((await infer()).version, "1+second.aaaaaaaa");
    assert.deepEqual([first.asked, causes], [[], ["primary_down"]]);
    assert.ok(backend.isUp(MODEL));
    second.up = false;
    assert.ok(!backend.isUp(MODEL));
    assert.deepEqual(backend.status(), [
      { backend: "first", up: false },
      { backend: "second", up: false },
    ]);
  });

  it("gives the second the very batch that the first went down over", async () => {
    await fail(down());
    const [tried, answered] = [first.batches[0]?.batch, second.batches[0]?.batch];
    assert.equal(answered, tried);
    assert.deepEqual(answered?.inputIds, BigInt64Array.of(1n, 2n, 3n, 0n));
    assert.equal(second.batches[0]?.context, ANYTIME);
    assert.deepEqual(causes, ["primary_failed"]);
  });

  for (const error of [
    new ModelError("an id too large"),
    new ServiceError("DEADLINE", "late"),
    new Error("they left"),
  ]) {
    it(`does not try again after ${error.constructor.name} (${error.message}), and trusts the first as before`, async () => {
      first.onInfer = () => Promise.reject(error);
      await assert.rejects(infer(), error);
      assert.deepEqual([second.asked, causes], [[], []]);
      first.onInfer = async (_model, { rows }) => new Float32Array(rows * 3);
      assert.equal(await shareOf(10), 1);
    });
  }

  it("gives a first that is back its batches step by step", async () => {
    await fail(down());
    const shares: number[] = [];
    for (let second_ = 0; second_ < 6; second_++) {
      // Less than a step, so that the share of one step is seen.
      shares.push(await shareOf(100));
      clock.advance(1000);
      while ((await shareOf(1)) === 0);
    }
    const wanted = [0.1, 0.2, 0.4, 0.8, 1, 1];
    for (const [place, share] of shares.entries())
      assert.ok(Math.abs(share - (wanted[place] ?? 0)) <= 0.02, `${shares}`);
  });

  it("starts from a tenth again when it fails on the way up", async () => {
    await fail(down());
    for (let step = 0; step < 3; step++) {
      clock.advance(1000);
      await shareOf(20);
    }
    first.up = false;
    await infer();
    first.up = true;
    assert.ok(Math.abs((await shareOf(100)) - 0.1) <= 0.02);
  });

  it("does not take batches of one model from the first because it lacks another", async () => {
    first.isUp = ({ name }) => name === MODEL.name;
    assert.equal((await infer(OTHER)).version, "7+second.aaaaaaaa");
    assert.equal(await shareOf(20), 1);
  });

  it("is loaded once the second is, whether or not the first can be", async () => {
    first.onLoad = () => Promise.reject(down());
    await backend.load(MODEL);
    assert.deepEqual([first.asked, second.asked], [["load 1"], ["load 1"]]);
    assert.ok(Math.abs((await shareOf(100)) - 0.1) <= 0.02);
  });

  it("is not loaded where the second cannot be", async () => {
    second.onLoad = () => Promise.reject(new Error("no such file"));
    await assert.rejects(backend.load(MODEL), /no such file/);
  });

  it("unloads and closes both", async () => {
    await backend.unload(MODEL);
    await backend[Symbol.asyncDispose]();
    assert.deepEqual([first.asked, second.asked], Array(2).fill(["unload 1", "dispose"]));
  });
});
