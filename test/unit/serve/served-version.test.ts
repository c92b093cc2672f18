import assert from "node:assert/strict";
import { ModelError } from "../../../server/backend/backend.js";
import { ServiceError, StartupError } from "../../../server/core/errors.js";
import type { ServedVersion } from "../../../server/serve/served-version.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";
import { type ScriptedBackend, scriptedBackend } from "../../support/scripted-backend.js";
import { someCall } from "../../support/some-call.js";
import { reasonOf, resultOf } from "../outcomes.js";
import { someServed } from "./some-served.js";

describe("ServedVersion", () => {
  let clock: FakeClock;
  let backend: ScriptedBackend;
  let loadedMs: number[];
  let version: ServedVersion;
  /** What has happened to a promise by now. */
  const track = (promise: Promise<unknown>) => {
    const tracked = { done: false };
    promise.then(
      () => {
        tracked.done = true;
      },
      () => {},
    );
    return tracked;
  };

  beforeEach(() => {
    clock = new FakeClock();
    backend = scriptedBackend();
    loadedMs = [];
    version = someServed(3, { backend, clock, onLoaded: (ms) => loadedMs.push(ms) });
  });

  it("is loaded when it is first needed, once for all who need it", async () => {
    assert.equal(version.isLoaded, false);
    assert.equal(version.model.isReady(), false);
    assert.equal(version.model.canServe(), false);
    backend.onLoad = async () => clock.advance(70);
    await Promise.all([version.ready(), version.model.ready(), version.ready()]);
    await version.ready();
    assert.deepEqual([backend.asked, loadedMs], [["load 3"], [70]]);
    assert.equal(version.isLoaded, true);
    assert.equal(version.model.isReady(), true);
  });

  it("can serve before it is loaded where a call loads it, as long as a backend can be had", async () => {
    const lazy = someServed(3, { backend, clock, loadsAhead: false });
    assert.deepEqual([lazy.model.isReady(), lazy.model.canServe()], [false, true]);
    backend.up = false;
    assert.equal(lazy.model.canServe(), false);
    backend.up = true;
    backend.onLoad = () => Promise.reject(new ModelError("its logits are not three"));
    await assert.rejects(lazy.ready());
    assert.equal(lazy.model.canServe(), false);
  });

  it("tells what waits for a batch", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { infer } = backend;
    backend.infer = async (...asked) => {
      await promise;
      return infer(...asked);
    };
    await version.ready();
    const first = version.model.submit([[1, 2]], someCall());
    await turn();
    const next = version.model.submit([[1, 2, 3], [4]], someCall());
    assert.deepEqual([version.queued.size, version.queued.tokens], [2, 4]);
    resolve();
    await Promise.all([first, next]);
    assert.deepEqual([version.queued.size, version.queued.tokens], [0, 0]);
  });

  it("makes room before it loads", async () => {
    const done: string[] = [];
    backend.onLoad = async () => void done.push("load");
    const beforeLoad = async () => {
      await turn();
      done.push("room");
    };
    await someServed(1, { backend, clock, beforeLoad }).ready();
    assert.deepEqual(done, ["room", "load"]);
  });

  it("is ready while its backend is up", async () => {
    await version.ready();
    backend.up = false;
    assert.deepEqual([version.model.isReady(), version.model.canServe()], [false, false]);
    backend.up = true;
    assert.deepEqual([version.model.isReady(), version.model.canServe()], [true, true]);
  });

  it("can be loaded after it could not be, and says what was wrong with its file", async () => {
    backend.onLoad = () => Promise.reject(new ModelError("not an ONNX file"));
    await assert.rejects(version.ready(), (error) => {
      assert.ok(error instanceof StartupError);
      assert.match(error.message, /^models\/3\/model\.onnx cannot be served: not an ONNX file: /);
      return true;
    });
    assert.equal(version.isLoaded, false);
    clock.advance(30_000);
    const gone = new ServiceError("BACKEND_DOWN", "gone");
    backend.onLoad = () => Promise.reject(gone);
    await assert.rejects(version.ready(), gone);
    backend.onLoad = async () => {};
    await version.ready();
    assert.equal(version.model.isReady(), true);
  });

  it("is not tried with each call while its files are at fault, and cannot serve meanwhile", async () => {
    await version.ready();
    await version.unload();
    backend.onLoad = () => Promise.reject(new ModelError("the file has changed"));
    for (let calls = 0; calls < 3; calls++)
      await assert.rejects(version.ready(), /the file has changed/);
    assert.deepEqual(backend.asked, ["load 3", "unload 3", "load 3"]);
    assert.equal(version.model.canServe(), false);
    clock.advance(30_000);
    assert.equal(version.model.canServe(), true);
    await assert.rejects(version.ready(), /the file has changed/);
    backend.onLoad = async () => {};
    await assert.rejects(version.ready(), /the file has changed/);
    await version.readyAnew();
    assert.deepEqual([version.model.isReady(), version.model.canServe()], [true, true]);
  });

  it("gives back what a load that failed may have left", async () => {
    backend.onLoad = () => Promise.reject(new ModelError("its logits are not three"));
    await assert.rejects(version.ready());
    assert.equal(await version.unload(), false);
    assert.deepEqual(backend.asked, ["load 3", "unload 3"]);
    await version.unload();
    assert.equal(backend.asked.length, 2);
  });

  it("says whether there was anything to unload", async () => {
    assert.equal(await version.unload(), false);
    assert.deepEqual(backend.asked, []);
    await version.ready();
    assert.deepEqual(await Promise.all([version.unload(), version.unload()]), [true, false]);
    assert.deepEqual(backend.asked, ["load 3", "unload 3"]);
  });

  it("is not unloaded before the last of its leases is given back", async () => {
    await version.ready();
    const [one, other] = [version.lease(), version.lease()];
    const unloading = track(version.unload());
    await turn();
    one[Symbol.dispose]();
    await turn();
    assert.equal(version.isInUse, true);
    assert.equal(version.model.isReady(), true);
    assert.deepEqual([unloading.done, backend.asked], [false, ["load 3"]]);
    other[Symbol.dispose]();
    await turn();
    assert.deepEqual([unloading.done, backend.asked], [true, ["load 3", "unload 3"]]);
    assert.deepEqual([version.isLoaded, version.model.isReady()], [false, false]);
    // It loads again by itself: balancers may go on sending calls.
    assert.equal(version.model.canServe(), true);
  });

  it("waits for a lease that is taken as the last one is given back", async () => {
    await version.ready();
    const one = version.lease();
    const unloading = track(version.unload());
    await turn();
    one[Symbol.dispose]();
    const other = version.lease();
    await version.ready();
    await turn();
    assert.deepEqual([unloading.done, backend.asked], [false, ["load 3"]]);
    other[Symbol.dispose]();
    await turn();
    assert.equal(unloading.done, true);
  });

  it("waits for the calls so far where it is to stay loaded for those that come meanwhile", async () => {
    await version.ready();
    const one = version.lease();
    const unloading = [track(version.unloadUnlessCalled()), track(version.unload())];
    await turn();
    const other = version.lease();
    one[Symbol.dispose]();
    await turn();
    assert.deepEqual([unloading[0]?.done, unloading[1]?.done], [true, false]);
    assert.deepEqual([version.model.isReady(), backend.asked], [true, ["load 3"]]);
    other[Symbol.dispose]();
    await turn();
    assert.deepEqual([unloading[1]?.done, backend.asked], [true, ["load 3", "unload 3"]]);
    await version.ready();
    assert.equal(await version.unloadUnlessCalled(), true);
  });

  it("unloads at once where it is idle, and not at all where it is not", async () => {
    assert.equal(await version.unloadIfIdle(), false);
    const held = Promise.withResolvers<void>();
    backend.onLoad = () => held.promise;
    const loading = version.ready();
    assert.equal(await version.unloadIfIdle(), false);
    held.resolve();
    await loading;
    const lease = version.lease();
    assert.equal(await version.unloadIfIdle(), false);
    lease[Symbol.dispose]();
    const unloading = version.unloadIfIdle();
    // Not a turn later: who leases it in between would find it half gone.
    assert.deepEqual([version.isLoaded, version.isIdle], [false, false]);
    assert.equal(await unloading, true);
  });

  it("loads anew for a call that comes while it is unloaded, after the unloading", async () => {
    await version.ready();
    const held = Promise.withResolvers<void>();
    backend.onUnload = () => held.promise;
    const unloading = version.unload();
    await turn();
    using _lease = version.lease();
    const loading = track(version.ready());
    await turn();
    assert.deepEqual([loading.done, backend.asked], [false, ["load 3", "unload 3"]]);
    held.resolve();
    await unloading;
    await turn();
    assert.deepEqual([loading.done, backend.asked], [true, ["load 3", "unload 3", "load 3"]]);
    assert.equal(version.model.isReady(), true);
  });

  it("loads anew also where the unloading failed", async () => {
    await version.ready();
    backend.onUnload = () => Promise.reject(new Error("no answer"));
    await assert.rejects(version.unload(), /no answer/);
    await version.ready();
    assert.equal(version.model.isReady(), true);
  });

  it("is unloaded after the load that is under way, also where a failed one is tried again", async () => {
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let loads = 0;
    backend.onLoad = () => held[loads++]?.promise ?? Promise.resolve();
    const failing = version.ready().catch(() => version.ready());
    await turn();
    const unloading = track(version.unload());
    held[0]?.reject(new ServiceError("BACKEND_DOWN", "busy"));
    await turn();
    assert.deepEqual([unloading.done, backend.asked], [false, ["load 3", "load 3"]]);
    held[1]?.resolve();
    await failing;
    await turn();
    assert.deepEqual([unloading.done, backend.asked.at(-1)], [true, "unload 3"]);
    assert.deepEqual([version.isLoaded, version.model.isReady()], [false, false]);
  });

  it("remembers when it was last used: when it was loaded, then at the end of a call", async () => {
    clock.advance(10);
    await version.ready();
    assert.equal(version.lastUsedMs, 10);
    const lease = version.lease();
    clock.advance(500);
    assert.equal(version.lastUsedMs, 10);
    lease[Symbol.dispose]();
    assert.equal(version.lastUsedMs, 510);
  });

  it("pads rows for its backend and gives each its own logits", async () => {
    await version.ready();
    backend.onInfer = async ({ padId }, { rows, tokens, inputIds }) => {
      assert.equal(padId, 0);
      return Float32Array.from({ length: rows * 3 }, (_, place) =>
        Number(inputIds[Math.floor(place / 3) * tokens]),
      );
    };
    const rows = [
      [7, 8],
      [9, 8],
    ];
    const outcomes = await version.model.submit(rows, someCall());
    assert.deepEqual(
      outcomes.map((outcome) => resultOf(outcome).logits[0]),
      [7, 9],
    );
    assert.equal(resultOf(outcomes[0]).version, "3+scripted.aaaaaaaa");
    assert.equal(version.model.version, "3+scripted.aaaaaaaa");
    assert.equal(backend.batches.length, 1);
  });

  it("puts rows of far lengths into one batch where its backend runs the file for which padding costs little", async () => {
    for (const heedsPaddingCost of [true, false]) {
      const runs = { ...backend, heedsPaddingCost };
      const cheap = someServed(3, { backend: runs, clock }, 100, 0.1);
      await cheap.ready();
      backend.batches.length = 0;
      await cheap.model.submit([[7], Array<number>(9).fill(8)], someCall());
      assert.equal(backend.batches.length, heedsPaddingCost ? 1 : 2);
    }
  });

  it("blames a row for what the model refuses, and no row for anything else", async () => {
    await version.ready();
    const rows = [
      [1, 1],
      [2, 1],
    ];
    backend.onInfer = async (_model, batch) => {
      if (batch.inputIds.includes(2n)) throw new ModelError("no such id");
      return new Float32Array(batch.rows * 3);
    };
    const [good, bad] = await version.model.submit(rows, someCall());
    assert.equal(resultOf(good).logits.length, 3);
    assert.match(String(reasonOf(bad)), /no such id/);
    const before = backend.batches.length;
    backend.onInfer = () => Promise.reject(new ServiceError("BACKEND_DOWN", "gone"));
    await version.model.submit(rows, someCall());
    assert.equal(backend.batches.length, before + 1);
  });
});
