import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createClient } from "nice-grpc";
import { Status as Code } from "nice-grpc-common";
import { HealthDefinition } from "nice-grpc-server-health";
import {
  type GRPCInferenceServiceClient,
  GRPCInferenceServiceDefinition,
} from "../../server/gen/inference/grpc_service.js";
import { REFLECTIONS } from "../../server/rpc/reflection.js";
import { heldBackend, until } from "../support/held-backend.js";
import { answersOf, inferRequest } from "../support/infer-messages.js";
import { reflected } from "../support/reflected.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { failureOf } from "../support/status-details.js";

const SERVICE = GRPCInferenceServiceDefinition.fullName;

describe("the KServe protocol, about the server", function () {
  this.timeout(20_000);
  let running: RunningApp;
  let kserve: GRPCInferenceServiceClient;
  before(async () => {
    running = await runApp({ MAX_BATCH_SIZE: "40" });
    kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
  });
  after(() => running[Symbol.asyncDispose]());

  it("says what the server is, and what it serves", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8"));
    assert.deepEqual(await kserve.serverLive({}), { live: true });
    assert.deepEqual(await kserve.serverReady({}), { ready: true });
    const server = await kserve.serverMetadata({});
    assert.deepEqual([server.name, server.version], ["sentiment-analyzer-pro", version]);
    const { models } = await kserve.repositoryIndex({ repositoryName: "", ready: true });
    const names = models.map(({ name }) => name);
    assert.deepEqual(names, [
      "sentiment_fast",
      "sentiment_balanced",
      "sentiment_accurate",
      "sentiment_auto",
    ]);
    for (const name of names) {
      assert.ok((await kserve.modelReady({ name, version: "1" })).ready, name);
      const metadata = await kserve.modelMetadata({ name, version: "" });
      assert.deepEqual(metadata.versions, ["1"]);
      const { config } = await kserve.modelConfig({ name, version: "1" });
      assert.equal(config?.maxBatchSize, 40);
    }
  });

  it("says of unknown models that they are not ready, and not there", async () => {
    const unknown = { name: "resnet", version: "" };
    assert.equal((await kserve.modelReady(unknown)).ready, false);
    assert.equal((await kserve.modelReady({ name: "sentiment_fast", version: "9" })).ready, false);
    for (const ask of [kserve.modelMetadata, kserve.modelConfig, kserve.modelStatistics]) {
      const failure = await failureOf((call) => ask(unknown, call) as Promise<unknown>);
      assert.equal(failure.code, Code.NOT_FOUND);
      assert.equal(failure.reason, "MODEL_UNKNOWN");
    }
  });

  it("counts calls, texts and time", async () => {
    const asked = { name: "sentiment_fast", version: "" };
    const counted = async () => (await kserve.modelStatistics(asked)).modelStats[0];
    const before = await counted();
    await kserve.modelInfer(inferRequest(["I love it", "I hate it"]));
    await failureOf((call) => kserve.modelInfer(inferRequest([" "]), call));
    const after = await counted();
    assert.ok(before && after);
    assert.equal(after.inferenceCount - before.inferenceCount, 2);
    assert.ok(after.executionCount > 0 && Math.abs(after.lastInference - Date.now()) < 60_000);
    const [was, is] = [before.inferenceStats, after.inferenceStats];
    const ns = (of: typeof is) =>
      [of?.queue, of?.computeInput, of?.computeInfer, of?.computeOutput].reduce(
        (whole, part) => whole + (part?.ns ?? Number.NaN),
        0,
      );
    assert.equal((is?.success?.count ?? 0) - (was?.success?.count ?? 0), 1);
    assert.equal((is?.fail?.count ?? 0) - (was?.fail?.count ?? 0), 1);
    const whole = (is?.success?.ns ?? 0) - (was?.success?.ns ?? 0);
    assert.ok(ns(is) - ns(was) > 0 && ns(is) - ns(was) <= whole);
    const { modelStats } = await kserve.modelStatistics({ name: "", version: "" });
    assert.equal(modelStats.length, 4);
  });

  it("says what it does not serve, and what to use instead", async () => {
    const model = { repositoryName: "", modelName: "sentiment_fast", parameters: {} };
    const stream = async (call: object) => {
      async function* requests() {
        yield inferRequest(["fine"]);
      }
      for await (const _ of kserve.modelStreamInfer(requests(), call)) assert.fail("answered");
    };
    for (const [ask, instead] of [
      [stream, "AnalyzeStream"],
      [(call: object) => kserve.repositoryModelLoad(model, call), "AdminService/LoadModel"],
      [(call: object) => kserve.repositoryModelUnload(model, call), "AdminService/UnloadModel"],
    ] as const) {
      const failure = await failureOf(ask);
      assert.equal(failure.code, Code.UNIMPLEMENTED);
      assert.ok(failure.message.includes(instead), failure.message);
    }
  });

  it("is in health and reflection", async () => {
    const health = createClient(HealthDefinition, running.channel);
    assert.equal((await health.check({ service: SERVICE })).status, 1);
    const found = await reflected(REFLECTIONS[0], running.channel, [SERVICE]);
    assert.ok(found.includes(SERVICE));
    assert.ok(found.some((file) => file.includes("inference/grpc_service.proto")));
  });
});

describe("the KServe protocol of a server that", function () {
  this.timeout(20_000);

  it("drains: it is live but not ready, and finishes what comes all the same", async () => {
    const backend = heldBackend();
    const running = await runApp({}, { backend: () => backend, probeMs: 1000 });
    const kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
    const underWay = kserve.modelInfer(inferRequest(["fine"]));
    await until(() => backend.waiting === 1);
    const stopped = running.app[Symbol.asyncDispose]();
    assert.deepEqual(await kserve.serverReady({}), { ready: false });
    assert.deepEqual(await kserve.serverLive({}), { live: true });
    assert.deepEqual(await kserve.modelReady({ name: "sentiment_fast", version: "" }), {
      ready: false,
    });
    const late = kserve.modelInfer(inferRequest(["late"]));
    backend.release();
    for (const call of [underWay, late]) assert.equal(answersOf(await call).length, 1);
    await stopped;
    running.channel.close();
  });

  it("loads models at first use: they are not ready before", async () => {
    await using running = await runApp({ PREFETCH_MODELS: "false" });
    const kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
    const model = { name: "sentiment_fast", version: "" };
    const states = async () =>
      (await kserve.repositoryIndex({ repositoryName: "", ready: false })).models.map(
        ({ state }) => state,
      );
    assert.equal((await kserve.modelReady(model)).ready, false);
    // Its calls are answered all the same.
    assert.equal((await kserve.serverReady({})).ready, true);
    assert.deepEqual(await states(), new Array(4).fill("UNAVAILABLE"));
    await kserve.modelInfer(inferRequest(["fine"]));
    assert.equal((await kserve.modelReady(model)).ready, true);
    assert.equal((await states())[0], "READY");
  });

  it("has no answer in time: DEADLINE, and a failed call in the statistics", async () => {
    const backend = heldBackend();
    await using running = await runApp({ REQUEST_TIMEOUT: "1" }, { backend: () => backend });
    const kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
    const failure = await failureOf((call) => kserve.modelInfer(inferRequest(["fine"]), call));
    assert.equal(failure.code, Code.DEADLINE_EXCEEDED);
    assert.equal(failure.reason, "DEADLINE");
    const { modelStats } = await kserve.modelStatistics({ name: "sentiment_fast", version: "" });
    assert.equal(modelStats[0]?.inferenceStats?.fail?.count, 1);
    backend.release();
  });

  it("serves no accurate model: sentiment_auto is not there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sentiment-kserve-"));
    const name = "sentiment_fast";
    await symlink(resolve("triton-model-repo", name), join(folder, name));
    {
      await using running = await runApp({ MODEL_REPOSITORY: folder, DEFAULT_TIER: "fast" });
      const kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
      const auto = inferRequest(["fine"], { modelName: "sentiment_auto" });
      const failure = await failureOf((call) => kserve.modelInfer(auto, call));
      assert.equal(failure.reason, "MODEL_UNKNOWN");
      assert.match(failure.message, /use sentiment_fast\.$/);
    }
    await rm(folder, { recursive: true });
  });
});
