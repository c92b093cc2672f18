import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rename, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, createChannel, createClient } from "nice-grpc";
import { InferenceSession, Tensor } from "onnxruntime-node";
import protobuf from "protobufjs";
import textformat from "protobufjs/ext/textformat.js";
import type { TokenBatch } from "../../server/backend/backend.js";
import { padded } from "../../server/backend/padding.js";
import {
  type GRPCInferenceServiceClient,
  GRPCInferenceServiceDefinition,
} from "../../server/gen/inference/grpc_service.js";
import { ModelConfig } from "../../server/gen/inference/model_config.js";
import { membersOf } from "../support/process-group.js";
import { startTriton, type TritonServer } from "../support/triton-server.js";

const REPOSITORY = "triton-model-repo";
const MODELS = ["sentiment_fast", "sentiment_balanced", "sentiment_accurate"];
const BATCH = padded(
  [
    [101, 1045, 2293, 2023, 4031, 999, 102],
    [101, 6659, 3737, 102],
  ],
  0,
);
const SHAPE = [BATCH.rows, BATCH.tokens];

describe("the packaged Triton", function () {
  this.timeout(60_000);
  let triton: TritonServer;
  let channel: Channel;
  let client: GRPCInferenceServiceClient;
  before(async () => {
    triton = await startTriton();
    channel = createChannel(triton.url);
    client = createClient(GRPCInferenceServiceDefinition, channel);
  });
  after(async () => {
    channel.close();
    await triton[Symbol.asyncDispose]();
  });

  /** Logits of a batch. */
  async function infer(modelName: string, batch: TokenBatch = BATCH): Promise<number[]> {
    const input = (name: string) => ({
      name,
      datatype: "INT64",
      shape: [batch.rows, batch.tokens],
      parameters: {},
      contents: undefined,
    });
    const { rawOutputContents } = await client.modelInfer({
      modelName,
      modelVersion: "",
      id: "",
      parameters: {},
      inputs: [input("input_ids"), input("attention_mask")],
      outputs: [{ name: "logits", parameters: {} }],
      rawInputContents: [batch.inputIds, batch.attentionMask].map((ids) => Buffer.from(ids.buffer)),
    });
    // Copied: a view of floats must begin where floats may.
    return [...new Float32Array(Uint8Array.from(rawOutputContents[0] ?? []).buffer)];
  }

  it("has all models of the repository ready", async () => {
    for (const name of MODELS)
      assert.deepEqual(await client.modelReady({ name, version: "" }), { ready: true });
  });

  for (const model of MODELS) {
    it(`serves ${model} as its config.pbtxt says`, async () => {
      const { config } = await client.modelConfig({ name: model, version: "" });
      assert.ok(config);
      const schema = await protobuf.load("proto/inference/model_config.proto");
      const type = schema.lookupType("inference.ModelConfig");
      const text = await readFile(`${REPOSITORY}/${model}/config.pbtxt`, "utf8");
      // Without defaults, so that what Triton adds to the file may stand in its answer.
      assert.partialDeepStrictEqual(
        type.toObject(type.decode(ModelConfig.encode(config).finish())),
        type.toObject(textformat.fromText(type, text)),
      );
    });

    it(`gives the logits of ${model} that onnxruntime gives`, async () => {
      const session = await InferenceSession.create(`${REPOSITORY}/${model}/1/model.onnx`, {
        intraOpNumThreads: 1,
        logSeverityLevel: 3,
      });
      const { logits } = await session.run({
        input_ids: new Tensor("int64", BATCH.inputIds, SHAPE),
        attention_mask: new Tensor("int64", BATCH.attentionMask, SHAPE),
      });
      assert.ok(logits);
      const expected = [...(logits.data as Float32Array)];
      const given = await infer(model);
      assert.equal(given.length, expected.length);
      const differences = given.map((logit, place) => Math.abs(logit - (expected[place] ?? 0)));
      assert.ok(Math.max(...differences) < 1e-4, `${given} and ${expected}`);
    });
  }

  it("fails ids that the model does not have, also batched with others, and answers the next", async () => {
    const bad = padded([[101, 9_999_999, 102]], 0);
    const fails = () =>
      assert.rejects(infer("sentiment_fast", bad), /INTERNAL: onnx runtime error/);
    await Promise.all(Array.from({ length: 16 }, fails));
    assert.equal((await infer("sentiment_fast")).length, BATCH.rows * 3);
  });

  it("answers nothing while it is frozen, and all once it is thawed", async () => {
    triton.freeze();
    const frozen = infer("sentiment_fast");
    assert.equal(await Promise.race([frozen, sleep(300, "silence")]), "silence");
    triton.thaw();
    assert.equal((await frozen).length, BATCH.rows * 3);
  });

  it("leaves no process and no shared memory when it is killed, frozen or not", async () => {
    assert.ok((await membersOf(triton.pid)).length > MODELS.length, "its models have processes");
    assert.ok((await sharedMemoryOf(triton.pid)).length > 0);
    triton.freeze();
    await triton.kill();
    assert.equal(await triton.ended, "exit code SIGKILL");
    assert.deepEqual(await membersOf(triton.pid), []);
    assert.deepEqual(await sharedMemoryOf(triton.pid), []);
  });

  describe("on a copy of a model", () => {
    let repository: string;
    before(async () => {
      repository = await mkdtemp(join(tmpdir(), "sentiment-triton-"));
      await cp(`${REPOSITORY}/sentiment_fast`, join(repository, "sentiment_fast"), {
        recursive: true,
      });
    });
    after(() => rm(repository, { recursive: true }));

    it("starts again on the ports of the one that was killed, for clients that it had", async () => {
      await triton.kill();
      await using again = await startTriton({ repository, ports: triton.ports });
      assert.equal(again.url, triton.url);
      await assert.rejects(startTriton({ ports: triton.ports }), /port \d+ is in use/);
      assert.equal((await infer("sentiment_fast")).length, BATCH.rows * 3);
      await assert.rejects(infer("sentiment_balanced"), /NOT_FOUND/);

      await rename(join(repository, "sentiment_fast/1"), join(repository, "sentiment_fast/2"));
      await client.repositoryModelLoad({
        repositoryName: "",
        modelName: "sentiment_fast",
        parameters: {},
      });
      const { versions } = await client.modelMetadata({ name: "sentiment_fast", version: "" });
      assert.deepEqual(versions, ["2"]);
    });

    it("tells why a model cannot be loaded, and leaves nothing", async () => {
      await truncate(join(repository, "sentiment_fast/2/model.onnx"), 1_000_000);
      const before = await abandonedSharedMemory();
      await assert.rejects(
        startTriton({ repository, ports: triton.ports }),
        /Triton ended before it was ready \(exit code 1\).*model\.onnx cannot be loaded/s,
      );
      assert.deepEqual(await abandonedSharedMemory(), before);
    });
  });
});

async function sharedMemoryOf(pid: number): Promise<readonly string[]> {
  const names = await readdir("/dev/shm");
  return names.filter((name) => name.startsWith(`sentiment-triton-${pid}-`));
}

/** What belongs to no process any more: other test runs may have a Triton of their own. */
async function abandonedSharedMemory(): Promise<readonly string[]> {
  const processes = new Set(await readdir("/proc"));
  const names = await readdir("/dev/shm");
  return names.filter((name) => {
    const owner = /^sentiment-triton-(\d+)-/.exec(name)?.[1];
    return owner !== undefined && !processes.has(owner);
  });
}
