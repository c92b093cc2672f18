import assert from "node:assert/strict";
import { MemoryManager } from "../../../server/serve/memory-manager.js";
import type { ServedVersion } from "../../../server/serve/served-version.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";
import { type ScriptedBackend, scriptedBackend } from "../../support/scripted-backend.js";
import { someServed } from "./some-served.js";

const LIMITS = { processBytes: 1000, modelBytes: 250 };
const MINUTE_MS = 60_000;

describe("MemoryManager", () => {
  let clock: FakeClock;
  let backend: ScriptedBackend;
  let rss: number;
  let repeated: number;
  let versions: ServedVersion[];
  let unloaded: string[];
  let trims: number;
  let gives: boolean[];
  let memory: MemoryManager;
  const make = (version: number, bytes = 100) => {
    const beforeLoad = () => memory.makeRoom(one);
    const one: ServedVersion = someServed(version, { backend, clock, beforeLoad }, bytes);
    versions.push(one);
    return one;
  };
  const loaded = () => versions.filter((one) => one.isLoaded).map(({ id }) => id.version);
  const wait = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5000) {
      clock.advance(Math.min(left, 5000));
      await turn();
    }
  };
  const use = (version: ServedVersion) => version.lease()[Symbol.dispose]();

  beforeEach(() => {
    clock = new FakeClock();
    backend = scriptedBackend();
    [rss, repeated, versions, unloaded, trims, gives] = [800, 0, [], [], 0, []];
    memory = new MemoryManager(
      LIMITS,
      () => versions,
      { atMost: () => rss, exactly: async () => rss - repeated },
      clock,
      {
        trimCaches: () => trims++,
        giveBackWhenQuiet: (does) => gives.push(does),
        unloaded: (one, cause) => unloaded.push(`${one.id.version} ${cause}`),
      },
    );
  });
  afterEach(() => memory[Symbol.dispose]());

  it("has memory given back in quiet times only while the process takes over a third of its limit", async () => {
    for (const bytes of [333, 334, 333]) {
      rss = bytes;
      await wait(5000);
    }
    assert.deepEqual(gives, [false, true, false]);
  });

  describe("while the process takes too much", () => {
    it("unloads one a check, the one used longest ago first", async () => {
      const [one, other] = [make(1), make(2)];
      await Promise.all([one.ready(), other.ready()]);
      clock.advance(1000);
      use(one);
      rss = 801;
      await wait(MINUTE_MS + 1000);
      assert.deepEqual(unloaded, ["2 memory"]);
      await wait(5000);
      assert.deepEqual(unloaded, ["2 memory", "1 memory"]);
      assert.deepEqual(loaded(), []);
      await wait(MINUTE_MS);
      assert.equal(unloaded.length, 2);
    });

    it("trims the caches at each check, also with models in use, and no more at 80 % of the limit", async () => {
      const one = make(1);
      await one.ready();
      using _lease = one.lease();
      await wait(10_000);
      assert.equal(trims, 0);
      rss = 801;
      await wait(15_000);
      assert.deepEqual([trims, unloaded], [3, []]);
      rss = 800;
      await wait(15_000);
      assert.equal(trims, 3);
    });

    it("does nothing for pages that are counted several times", async () => {
      await make(1).ready();
      [rss, repeated] = [1000, 200];
      await wait(2 * MINUTE_MS);
      assert.deepEqual([trims, unloaded], [0, []]);
      repeated = 199;
      await wait(5000);
      assert.deepEqual([trims, unloaded], [1, ["1 memory"]]);
    });

    it("unloads nothing at 80 % of the limit, nor what was used within a minute", async () => {
      const one = make(1);
      await one.ready();
      await wait(10 * MINUTE_MS);
      assert.deepEqual(loaded(), [1]);
      rss = 1000;
      use(one);
      await wait(MINUTE_MS - 5000);
      assert.deepEqual(loaded(), [1]);
      await wait(5000);
      assert.deepEqual(loaded(), []);
    });

    it("never unloads one in use, nor waits for it", async () => {
      const [busy, idle] = [make(1), make(2)];
      await Promise.all([busy.ready(), idle.ready()]);
      using _lease = busy.lease();
      rss = 1000;
      await wait(2 * MINUTE_MS);
      assert.deepEqual([loaded(), unloaded], [[1], ["2 memory"]]);
    });

    it("leaves one alone that takes long to load", async () => {
      const held = Promise.withResolvers<void>();
      backend.onLoad = () => held.promise;
      const loading = make(1).ready();
      rss = 1000;
      await wait(2 * MINUTE_MS);
      held.resolve();
      await loading;
      await turn();
      assert.deepEqual([loaded(), unloaded], [[1], []]);
    });

    it("goes on checking after an unloading that failed", async () => {
      await make(1).ready();
      await make(2).ready();
      backend.onUnload = () => Promise.reject(new Error("no answer"));
      rss = 1000;
      await wait(MINUTE_MS);
      backend.onUnload = async () => {};
      await wait(5000);
      assert.deepEqual(loaded(), []);
    });
  });

  describe("before a model is loaded", () => {
    it("unloads those used longest ago, as many as it takes", async () => {
      const [one, two] = [make(1), make(2)];
      await one.ready();
      clock.advance(1);
      await two.ready();
      clock.advance(1);
      use(one);
      await make(3).ready();
      assert.deepEqual([unloaded, loaded()], [["2 cache_size"], [1, 3]]);
      await make(4, 200).ready();
      assert.deepEqual(unloaded, ["2 cache_size", "1 cache_size", "3 cache_size"]);
      assert.deepEqual(loaded(), [4]);
    });

    it("unloads nothing where all fit", async () => {
      await make(1).ready();
      await make(2, 150).ready();
      assert.deepEqual([unloaded, loaded()], [[], [1, 2]]);
    });

    it("loads one that does not fit beside what is in use, or at all", async () => {
      const one = make(1);
      await one.ready();
      using _lease = one.lease();
      await make(2, 200).ready();
      assert.deepEqual([unloaded, loaded()], [[], [1, 2]]);
      await make(3, 1000).ready();
      assert.deepEqual([unloaded, loaded()], [["2 cache_size"], [1, 3]]);
    });

    it("is not stopped by others that load at the same time", async () => {
      await Promise.all([make(1, 200).ready(), make(2, 200).ready(), make(3, 200).ready()]);
      assert.deepEqual(loaded(), [1, 2, 3]);
    });

    it("loads it also where another could not be unloaded", async () => {
      await make(1, 200).ready();
      backend.onUnload = () => Promise.reject(new Error("no answer"));
      await make(2, 200).ready();
      assert.ok(loaded().includes(2));
    });

    it("tells of one unloading once", async () => {
      await make(1).ready();
      const held = Promise.withResolvers<void>();
      backend.onUnload = () => held.promise;
      rss = 1000;
      await wait(MINUTE_MS);
      const loading = make(2, 200).ready();
      held.resolve();
      await loading;
      await turn();
      assert.deepEqual(unloaded, ["1 memory"]);
    });
  });

  it("checks no more once it is closed, also where it is closed during a check", async () => {
    await make(1).ready();
    const held = Promise.withResolvers<void>();
    backend.onUnload = () => held.promise;
    rss = 1000;
    await wait(MINUTE_MS);
    memory[Symbol.dispose]();
    held.resolve();
    await turn();
    assert.equal(clock.pending, 0);
  });
});
