import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, Metadata } from "nice-grpc";
import {
  AdminServiceDefinition,
  CacheTier,
  LongText,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { type HeldBackend, heldBackend, until } from "../support/held-backend.js";
import { keyFolder } from "../support/key-folder.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";

const TEXT = "The view was LOVELY";
const SAME_TO_THE_MODEL = "the view  was lovely";
const { CACHE_TIER_MEMORY: MEMORY, CACHE_TIER_NONE: NONE } = CacheTier;

const NO_OPTIONS = {
  explain: false,
  sentences: false,
  skipCache: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

function released(): HeldBackend {
  const backend = heldBackend();
  backend.release();
  return backend;
}

describe("answers kept over a restart", function () {
  this.timeout(20_000);
  let folder: string;
  let file: string;
  let models: RepositoryCopy;
  before(async () => {
    models = await repositoryCopy("fast");
  });
  after(() => models[Symbol.asyncDispose]());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-kept-"));
    file = join(folder, "answers");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const start = async (
    env: Readonly<Record<string, string>> = {},
    backend: HeldBackend = released(),
  ) => {
    const settings = {
      ENABLE_CACHING: "true",
      CACHE_FILE: file,
      MODEL_REPOSITORY: models.folder,
      DEFAULT_TIER: "fast",
      ...env,
    };
    const app = await runApp(settings, { backend: () => backend });
    return { ...app, backend };
  };
  const cacheOf = async ({ client }: RunningApp, text: string, metadata = Metadata()) => {
    const request = { text, tier: Tier.TIER_FAST, options: undefined };
    return (await client.analyze(request, { metadata })).sentiment?.cache;
  };
  const runOnce = async (env: Readonly<Record<string, string>> = {}) => {
    await using app = await start(env);
    await cacheOf(app, TEXT);
    return app.log;
  };
  /** Of a start with the file as it is: what it says of it. */
  const linesOf = async () => {
    await using app = await start();
    assert.equal(await cacheOf(app, TEXT), NONE);
    return app.log.filter((line) => line["file"] === file);
  };

  it("are found without a run of the model, by the text and by what the model reads", async () => {
    await runOnce();
    await using app = await start();
    assert.equal(await cacheOf(app, TEXT), MEMORY);
    assert.equal(await cacheOf(app, SAME_TO_THE_MODEL), MEMORY);
    assert.equal(app.backend.rows, 0);
    assert.equal(await cacheOf(app, "new"), NONE);
  });

  it("are also those of calls that the drain has finished", async () => {
    const backend = heldBackend();
    const app = await start({}, backend);
    const underWay = cacheOf(app, TEXT);
    await until(() => backend.waiting === 1);
    const stopped = app.app[Symbol.asyncDispose]();
    backend.release();
    assert.equal(await underWay, NONE);
    await stopped;
    app.channel.close();
    await using next = await start();
    assert.equal(await cacheOf(next, TEXT), MEMORY);
  });

  it("lie in a file without texts that only its owner reads", async () => {
    const app = await start();
    await cacheOf(app, TEXT);
    const explained = { ...NO_OPTIONS, explain: true };
    const request = { text: TEXT, tier: Tier.TIER_FAST, options: explained };
    const { sentiment } = await app.client.analyze(request);
    assert.ok(sentiment?.attributions.some(({ token }) => token === "LOVELY"));
    await app[Symbol.asyncDispose]();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const [, ...lines] = (await readFile(file, "latin1")).trimEnd().split("\n");
    assert.equal(lines.length, 3);
    for (const line of lines) {
      const values = line.split(" ").map((part) => Buffer.from(part, "base64url").toString());
      assert.doesNotMatch([line, ...values].join(), /lovely/i);
    }
  });

  it("are not those of a model that was swapped", async () => {
    await runOnce();
    await cp("test/fixtures/onnx/undecided.onnx", models.at("fast", "2/model.onnx"));
    try {
      const [line] = await linesOf();
      assert.deepEqual([line?.["restored"], line?.["notServed"]], [0, 2]);
    } finally {
      await rm(models.at("fast", "2"), { recursive: true });
    }
  });

  it("are not used after CACHE_TTL", async () => {
    await runOnce();
    const [head = "", ...rest] = (await readFile(file, "latin1")).split("\n");
    const [, , savedAtMs] = head.split(" ");
    const older = `sentiment-cache 1 ${Number(savedAtMs) - 3_600_001}`;
    const check = hash("sha256", older, "base64url").slice(0, 8);
    await writeFile(file, [`${older} ${check}`, ...rest].join("\n"));
    assert.match(JSON.stringify(await linesOf()), /too old/);
  });

  for (const [what, bytes] of [
    ["no cache file", "PNG\n"],
    ["empty", ""],
  ] as const) {
    it(`are none where the file is ${what}: the server starts and says so`, async () => {
      await writeFile(file, bytes);
      assert.match(JSON.stringify(await linesOf()), /"level":"warn".*not used/);
    });
  }

  it("are those whose lines are whole, where the file is damaged", async () => {
    await runOnce();
    const lines = (await readFile(file, "latin1")).split("\n");
    await writeFile(file, lines.map((line) => line.replace(/^text/, "test")).join("\n"));
    await using app = await start();
    const [line] = app.log.filter((one) => one["file"] === file);
    assert.deepEqual([line?.["level"], line?.["restored"], line?.["damaged"]], ["warn", 1, 1]);
    assert.equal(await cacheOf(app, TEXT), MEMORY, "it is found by what the model reads");
  });

  it("are none where the file cannot be written, and the drain is none the worse", async () => {
    file = join(folder, "missing", "answers");
    const log = await runOnce();
    const [line] = log.filter((one) => one["file"] === file);
    assert.equal(line?.["level"], "error");
    assert.equal(log.at(-1)?.["msg"], "stopped");
  });

  it("are none without CACHE_FILE, or without caching", async () => {
    await runOnce({ CACHE_FILE: "" });
    await runOnce({ ENABLE_CACHING: "false" });
    assert.deepEqual(await readdir(folder), []);
  });

  it("are gone once the caches are cleared, also where the server then dies", async () => {
    await runOnce();
    await using keys = await keyFolder();
    const key = await addNewKey(keys.file, "operator", ["admin", "analyze"]);
    const metadata = Metadata({ "x-api-key": key });
    await using app = await start({ API_KEYS_FILE: keys.file });
    const admin = createClient(AdminServiceDefinition, app.channel, { "*": { metadata } });
    const clear = (cache: CacheTier) => admin.clearCache({ cache, model: "" });
    await clear(CacheTier.CACHE_TIER_REDIS);
    assert.deepEqual(await readdir(folder), ["answers"]);
    assert.equal((await clear(MEMORY)).cleared, 1);
    assert.deepEqual(await readdir(folder), []);
    assert.equal(await cacheOf(app, TEXT, metadata), NONE);
  });
});
