import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Status } from "nice-grpc-common";
import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { sentences } from "../support/sentences.js";
import { type LoadedCall, steadyLoad, wrongOf } from "../support/steady-load.js";
import { startTriton, type TritonServer } from "../support/triton-server.js";

/** `make test-full` sets more. */
const SECONDS = Number(process.env["LOAD_SECONDS"] ?? 8);
const CALLS_PER_SECOND = Number(process.env["LOAD_CALLS"] ?? 100);
const TEXTS = sentences(200);
/** Far under REQUEST_TIMEOUT. How long calls do take is told by `make bench-triton-faults`. */
const LONG_MS = 10_000;
/** Longer than it takes to find out. */
const FROZEN_MS = SECONDS * 625;

/** A busy machine takes its time to bring a Triton back. */
const BACK_MS = 30_000;

describe("a Triton that fails under load", function () {
  this.timeout((SECONDS + 60) * 1000 + BACK_MS);
  let truth: ReadonlyMap<string, number>;
  let models: RepositoryCopy;
  let triton: TritonServer;

  before(async () => {
    models = await repositoryCopy("fast");
    await using embedded = await start("embedded", "");
    truth = new Map(
      (await steadyLoad({ ...load(embedded), seconds: TEXTS.length / CALLS_PER_SECOND })).map(
        ({ text, score = Number.NaN }) => [text, score],
      ),
    );
  });
  after(() => models[Symbol.asyncDispose]());
  beforeEach(async () => {
    triton = await startTriton({ repository: models.folder });
  });
  afterEach(() => triton.kill());

  const start = (backend: string, url = triton.url) =>
    runApp({
      BACKEND: backend,
      TRITON_URL: url,
      MODEL_REPOSITORY: models.folder,
      DEFAULT_TIER: "fast",
    });
  const load = ({ client }: RunningApp) => ({
    client,
    tier: Tier.TIER_FAST,
    texts: TEXTS,
    callsPerSecond: CALLS_PER_SECOND,
    seconds: SECONDS,
  });
  const failed = (calls: readonly LoadedCall[]) =>
    calls.filter(({ failure }) => failure !== undefined);
  const mostOf = (calls: readonly LoadedCall[]) => Math.max(...calls.map(({ tookMs }) => tookMs));
  const by = (backend: string) => (call: LoadedCall) => call.modelVersion.includes(`+${backend}.`);
  const restart = async () => {
    await triton.kill();
    triton = await startTriton({ repository: models.folder, ports: triton.ports });
  };

  /** Resolves when Triton answers again; how soon is told by `make bench-triton-faults`. */
  const untilBack = async (app: RunningApp) => {
    const untilMs = performance.now() + BACK_MS;
    while (performance.now() < untilMs) {
      const calls = await steadyLoad({ ...load(app), callsPerSecond: 20, seconds: 0.5 });
      assert.deepEqual(failed(calls), []);
      if (calls.every(by("triton"))) return;
    }
    assert.fail(`Triton answers no calls after ${BACK_MS} ms`);
  };

  it("ends connections by their age: no call fails, none is wrong", async () => {
    await triton.kill();
    const args = ["--grpc-max-connection-age=200"];
    triton = await startTriton({ repository: models.folder, args });
    await using app = await start("triton");
    const calls = await steadyLoad(load(app));
    assert.deepEqual(failed(calls), []);
    assert.deepEqual(wrongOf(calls, truth), []);
  });

  it("killed, with a stand-by: no call fails, none is wrong, and traffic comes back", async () => {
    await using app = await start("triton,embedded");
    const loaded = steadyLoad(load(app));
    await sleep((SECONDS * 1000) / 4);
    await restart();
    const calls = await loaded;
    assert.deepEqual(failed(calls), []);
    assert.deepEqual(wrongOf(calls, truth), []);
    assert.ok(calls.some(by("embedded")), "the stand-by was never needed");
    await untilBack(app);
  });

  it("frozen, with a stand-by: the same, and nobody waits for it to thaw", async () => {
    await using app = await start("triton,embedded");
    const loaded = steadyLoad(load(app));
    await sleep((SECONDS * 1000) / 8);
    triton.freeze();
    await sleep(FROZEN_MS);
    triton.thaw();
    const calls = await loaded;
    assert.deepEqual(failed(calls), []);
    assert.deepEqual(wrongOf(calls, truth), []);
    assert.ok(calls.some(by("embedded")), "the stand-by was never needed");
    assert.ok(mostOf(calls) < FROZEN_MS, `${mostOf(calls)} ms`);
    await untilBack(app);
  });

  it("killed, without one: calls are refused at once with RetryInfo, and answered when it is back", async () => {
    await using app = await start("triton");
    const loaded = steadyLoad(load(app));
    await sleep((SECONDS * 1000) / 4);
    await restart();
    const calls = await loaded;
    const refused = failed(calls);
    assert.ok(refused.length > 0, "no call met the dead Triton");
    for (const { failure } of refused) {
      assert.equal(failure?.code, Status.UNAVAILABLE);
      assert.equal(failure?.reason, "BACKEND_DOWN");
      assert.ok((failure?.retryAfterSeconds ?? 0) > 0);
    }
    assert.ok(mostOf(refused) < LONG_MS, `${mostOf(refused)} ms`);
    assert.deepEqual(wrongOf(calls, truth), []);
    assert.equal(calls.at(-1)?.failure, undefined);
  });
});
