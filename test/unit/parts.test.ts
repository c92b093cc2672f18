import assert from "node:assert/strict";
import { loadConfig } from "../../server/config.js";
import { ServiceError } from "../../server/core/errors.js";
import { createLog } from "../../server/observe/log.js";
import { prefetch } from "../../server/parts.js";
import type { ServedVersion } from "../../server/serve/served-version.js";
import type { TierModels } from "../../server/serve/tier-models.js";
import { FakeClock } from "../support/fake-clock.js";
import { turn } from "../support/recorder.js";
import { type ScriptedBackend, scriptedBackend } from "../support/scripted-backend.js";
import { someServed } from "./serve/some-served.js";

const down = () => new ServiceError("BACKEND_DOWN", "No server", { cause: new Error("refused") });

describe("prefetch", () => {
  let clock: FakeClock;
  let backend: ScriptedBackend;
  let said: string[];
  let opened: AsyncDisposableStack;
  let versions: readonly ServedVersion[];
  const start = (kind: string) => {
    const log = createLog("info", { write: (line) => said.push(JSON.parse(line).detail) });
    const models = { versions: () => versions } as Partial<TierModels> as TierModels;
    return prefetch(models, loadConfig({ BACKEND: kind }), clock, log, opened);
  };

  beforeEach(() => {
    clock = new FakeClock();
    backend = scriptedBackend();
    [said, opened] = [[], new AsyncDisposableStack()];
    versions = [1, 2].map((version) => someServed(version, { backend, clock }));
  });

  it("loads one version after the other", async () => {
    let underWay = 0;
    backend.onLoad = async () => {
      assert.equal(++underWay, 1);
      await turn();
      underWay--;
    };
    await start("embedded");
    assert.deepEqual(backend.asked, ["load 1", "load 2"]);
    assert.equal(clock.pending, 0);
  });

  it("does not start where the models cannot be loaded, or a stand-by cannot", async () => {
    backend.onLoad = () => Promise.reject(down());
    for (const kind of ["embedded", "triton,embedded"])
      await assert.rejects(start(kind), ServiceError);
  });

  it("waits for a Triton that is not there yet, says so once, and loads what is missing", async () => {
    backend.onLoad = async ({ version }) => {
      if (version === 2) throw down();
    };
    await start("triton");
    for (let second = 0; second < 3; second++) {
      clock.advance(1000);
      await turn();
    }
    assert.deepEqual(said, ["refused"]);
    backend.onLoad = async () => {};
    clock.advance(1000);
    await turn();
    assert.deepEqual(backend.asked.slice(0, 3), ["load 1", "load 2", "load 2"]);
    assert.ok(versions.every(({ model }) => model.isReady()));
    assert.equal(clock.pending, 0);
  });

  it("waits no more once it is closed, also where it is closed during a try", async () => {
    backend.onLoad = () => Promise.reject(down());
    await start("triton");
    const { promise, reject } = Promise.withResolvers<void>();
    backend.onLoad = () => promise;
    clock.advance(1000);
    await turn();
    await opened.disposeAsync();
    reject(down());
    await turn();
    assert.equal(clock.pending, 0);
  });
});
