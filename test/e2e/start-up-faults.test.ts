import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand, start, startServer } from "../support/server-process.js";

/** Runs the server with these settings; it must end by itself with exit code 1 and one message. */
async function faultOf(env: Readonly<Record<string, string>>): Promise<string> {
  const { ended } = start(runCommand(), { GRPC_PORT: "0", HTTP_PORT: "0", ...env });
  const { code, stderr } = await ended;
  assert.equal(code, 1, stderr);
  assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace is no message for a user");
  return stderr;
}

describe("start-up faults", function () {
  this.timeout(30_000);
  let repository: string;
  beforeEach(async () => {
    repository = await mkdtemp(join(tmpdir(), "sentiment-models-"));
    await cp("triton-model-repo/sentiment_fast", join(repository, "sentiment_fast"), {
      recursive: true,
    });
  });
  afterEach(() => rm(repository, { recursive: true }));
  const env = () => ({ MODEL_REPOSITORY: repository, DEFAULT_TIER: "fast" });
  const file = (name: string) => join(repository, "sentiment_fast", name);
  /** As of a model whose config.pbtxt was written by hand: the files may be any. */
  const forgetDigests = async () => {
    const config = await readFile(file("config.pbtxt"), "utf8");
    await writeFile(file("config.pbtxt"), config.replace(/^parameters.*_sha256.*\n/gm, ""));
  };

  it("a good copy of the repository starts", async () => {
    await using server = await startServer(env());
    assert.match(server.address, /^127\.0\.0\.1:\d+$/);
  });

  it("all bad settings are named at once", async () => {
    const message = await faultOf({ GRPC_PORT: "70000", DEFAULT_TIER: "best", BATCH_SIZE: "many" });
    assert.match(message, /GRPC_PORT.*\n.*DEFAULT_TIER.*\n.*BATCH_SIZE: must be a whole number/);
  });

  it("an endpoint of traces that is no address names its setting", async () => {
    const message = await faultOf({ ...env(), OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" });
    assert.match(message, /OTEL_EXPORTER_OTLP_ENDPOINT: must be an address, as http:/);
  });

  it("a port in use names the setting and the mend", async () => {
    await using server = await startServer(env());
    const port = server.address.split(":").at(-1) ?? "";
    const message = await faultOf({ ...env(), GRPC_PORT: port });
    assert.match(
      message,
      new RegExp(`GRPC_PORT ${port} is in use on 127\\.0\\.0\\.1: end the process`),
    );
  });

  it("an ops port in use names the setting and the mend", async () => {
    await using server = await startServer(env());
    const port = server.address.split(":").at(-1) ?? "";
    const message = await faultOf({ ...env(), HTTP_PORT: port });
    assert.match(message, new RegExp(`HTTP_PORT ${port} is in use on .* set another HTTP_PORT`));
  });

  it("an address that is not ours names BIND_ADDRESS", async () => {
    assert.match(
      await faultOf({ ...env(), BIND_ADDRESS: "192.0.2.1" }),
      /BIND_ADDRESS 192\.0\.2\.1/,
    );
  });

  it("a repository that is not there names MODEL_REPOSITORY", async () => {
    assert.match(
      await faultOf({ MODEL_REPOSITORY: "no-such-folder" }),
      /MODEL_REPOSITORY no-such-folder/,
    );
  });

  it("a default tier without a model names DEFAULT_TIER", async () => {
    const message = await faultOf({ MODEL_REPOSITORY: repository, DEFAULT_TIER: "balanced" });
    assert.match(message, /DEFAULT_TIER balanced is not in .*add sentiment_balanced/);
  });

  for (const name of ["config.pbtxt", "1/model.onnx", "tokenizer.json", "labels.txt"]) {
    it(`a missing ${name} is named`, async () => {
      await rm(file(name));
      const message = await faultOf(env());
      assert.ok(message.includes(file(name)), message);
      assert.match(message, /: (add|one label)/);
    });
  }

  it("a model file that is not the one of config.pbtxt is named", async () => {
    await truncate(file("1/model.onnx"), 100_000);
    assert.match(await faultOf(env()), /1\/model.onnx is not the file that config.pbtxt speaks of/);
  });

  it("a model file that is cut short is named", async () => {
    await forgetDigests();
    await truncate(file("1/model.onnx"), 1_000_000);
    const message = await faultOf(env());
    assert.ok(message.includes(`${file("1/model.onnx")} cannot be served`), message);
    assert.match(message, /replace it, or run make models/);
  });

  for (const [name, what] of [
    ["five-classes", /its logits of one text are not 3 finite numbers .* but 5: /],
    ["other-output", /the model has no output called logits/],
  ] as const) {
    it(`a model of another shape is named (${name})`, async () => {
      await cp(`test/fixtures/onnx/${name}.onnx`, file("1/model.onnx"));
      await forgetDigests();
      const message = await faultOf(env());
      assert.ok(message.includes(`${file("1/model.onnx")} cannot be served`), message);
      assert.match(message, what);
    });
  }

  it("a GPU that is not there is told, with what is missing", async () => {
    const message = await faultOf({ ...env(), ENABLE_GPU: "true" });
    assert.match(
      message,
      /ENABLE_GPU is set, but onnxruntime finds no GPU provider \(tensorrt: .*cuda: /,
    );
    assert.match(message, /or unset ENABLE_GPU/);
  });

  it("a broken config.pbtxt and a broken tokenizer.json are named", async () => {
    await writeFile(file("tokenizer.json"), '{"model": ');
    await forgetDigests();
    assert.ok((await faultOf(env())).includes(`${file("tokenizer.json")} is not a tokenizer`));
    await writeFile(file("config.pbtxt"), "name: [");
    assert.ok((await faultOf(env())).includes(`${file("config.pbtxt")} is not a Triton model`));
  });
});
