import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, Metadata } from "nice-grpc";
import { ServiceError } from "../../server/core/errors.js";
import {
  type AdminServiceClient,
  AdminServiceDefinition,
  CacheTier,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { FakeClock } from "../support/fake-clock.js";
import { heldBackend, until } from "../support/held-backend.js";
import { type KeyFolder, keyFolder } from "../support/key-folder.js";
import { repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { failureOf } from "../support/status-details.js";

const tier = Tier.TIER_FAST;
const { CACHE_TIER_MEMORY: MEMORY } = CacheTier;
const CACHING = { ENABLE_CACHING: "true", DEFAULT_TIER: "fast" };
/** With the file of the repository. */
const WARM_UP = { ...CACHING, WARM_UP_FILE: "" };

describe("warming", function () {
  this.timeout(30_000);
  let keys: KeyFolder;
  let metadata: Metadata;
  before(async () => {
    keys = await keyFolder();
    const key = await addNewKey(keys.file, "operator", ["admin", "analyze"]);
    metadata = Metadata({ "x-api-key": key });
  });
  after(() => keys[Symbol.asyncDispose]());
  const withKeys = (env: Readonly<Record<string, string>> = CACHING) => ({
    ...env,
    API_KEYS_FILE: keys.file,
  });
  const adminOf = ({ channel }: RunningApp): AdminServiceClient =>
    createClient(AdminServiceDefinition, channel, { "*": { metadata } });
  const analyze = ({ client }: RunningApp, text: string, asked: Tier = tier) =>
    client.analyze({ text, tier: asked, options: undefined }, { metadata });
  const cacheOf = async (app: RunningApp, text: string, asked: Tier = tier) =>
    (await analyze(app, text, asked)).sentiment?.cache;
  const line = ({ log }: RunningApp, message: string) => log.find(({ msg }) => msg === message);
  const errorsOf = ({ log }: RunningApp) => log.filter(({ level }) => level === "error");
  const wait = async (clock: FakeClock, ms: number) => {
    for (let left = ms; left > 0; left -= 20) {
      clock.advance(20);
      await new Promise((next) => setTimeout(next, 2));
    }
  };

  describe("at start-up", () => {
    it("puts the phrases of the repository into memory, for the default tier", async () => {
      await using app = await runApp({ ENABLE_CACHING: "true", WARM_UP_FILE: "" });
      await until(() => line(app, "the caches are warm") !== undefined);
      const { warmed, present, failed } = line(app, "the caches are warm") ?? {};
      assert.deepEqual([warmed, present, failed], [8, 0, 0]);
      const phrases = (await readFile("triton-model-repo/warm-up.txt", "utf8")).trim().split("\n");
      assert.equal(phrases.length, 8);
      for (const phrase of phrases)
        assert.equal(await cacheOf(app, phrase, Tier.TIER_UNSPECIFIED), MEMORY, phrase);
      assert.doesNotMatch(JSON.stringify(app.log), /great product/);
    });

    it("neither delays the start nor the drain", async () => {
      const backend = heldBackend();
      const app = await runApp(WARM_UP, { backend: () => backend });
      assert.equal((await fetch(`http://${app.app.opsAddress}/readyz`)).status, 200);
      await until(() => backend.waiting > 0);
      await app[Symbol.asyncDispose]();
      assert.equal(line(app, "warming ended by the drain")?.["warmed"], 0);
      assert.equal(line(app, "stopped")?.["level"], "info");
      assert.deepEqual(errorsOf(app), []);
    });

    it("waits for a Triton that is not there yet, and fails no text meanwhile", async () => {
      const clock = new FakeClock();
      const backend = heldBackend();
      backend.release();
      let up = false;
      const load = async () => {
        if (!up) throw new ServiceError("BACKEND_DOWN", "No Triton.");
      };
      const env = { ...WARM_UP, BACKEND: "triton" };
      await using app = await runApp(env, { clock, backend: () => ({ ...backend, load }) });
      await wait(clock, 3000);
      assert.equal(backend.rows, 0);
      up = true;
      await wait(clock, 2500);
      await until(() => line(app, "the caches are warm") !== undefined);
      const { warmed, failed } = line(app, "the caches are warm") ?? {};
      assert.deepEqual([warmed, failed, errorsOf(app)], [8, 0, []]);
    });

    it("loads no model by itself with PREFETCH_MODELS=false, and warms the one that a call has loaded", async () => {
      const clock = new FakeClock();
      const env = { ...WARM_UP, PREFETCH_MODELS: "false" };
      await using app = await runApp(env, { clock });
      await wait(clock, 2000);
      assert.equal(line(app, "model loaded"), undefined);
      await analyze(app, "anything");
      await wait(clock, 1000);
      await until(() => line(app, "the caches are warm") !== undefined);
      assert.equal(await cacheOf(app, "love it"), MEMORY);
    });

    it("reads no file without caching, and stops the start where a named one is missing", async () => {
      const env = { WARM_UP_FILE: "no-such-file" };
      await (await runApp(env))[Symbol.asyncDispose]();
      await assert.rejects(runApp({ ...env, ...CACHING }), {
        name: "StartupError",
        message: /^WARM_UP_FILE no-such-file cannot be read/,
      });
    });

    it("takes the file of a repository of one's own, and counts lines that are no texts", async () => {
      await using models = await repositoryCopy("fast");
      await writeFile(join(models.folder, "warm-up.txt"), Buffer.from([0x61, 0x0a, 0xff, 0x0a]));
      await using app = await runApp({ ...WARM_UP, MODEL_REPOSITORY: models.folder });
      await until(() => line(app, "the caches are warm") !== undefined);
      const { warmed, failed } = line(app, "the caches are warm") ?? {};
      assert.deepEqual([warmed, failed], [1, 1]);
    });
  });

  describe("by AdminService.WarmCache", () => {
    it("counts what was warmed, was there and is no text, and later calls find it", async () => {
      await using app = await runApp(withKeys());
      await analyze(app, "old");
      const texts = ["new", "old", "", "new", "newer"];
      const admin = adminOf(app);
      assert.deepEqual(await admin.warmCache({ texts, tier }), {
        warmed: 2,
        present: 2,
        failed: 1,
      });
      assert.deepEqual(await admin.warmCache({ texts, tier }), {
        warmed: 0,
        present: 4,
        failed: 1,
      });
      for (const text of ["new", "newer"]) assert.equal(await cacheOf(app, text), MEMORY);
      assert.notEqual(await cacheOf(app, "new", Tier.TIER_BALANCED), MEMORY);
    });

    it("warms the cascade", async () => {
      await using app = await runApp(withKeys());
      const request = { texts: ["Not bad at all", "Splendid!"], tier: Tier.TIER_AUTO };
      assert.equal((await adminOf(app).warmCache(request)).warmed, 2);
      for (const text of request.texts)
        assert.equal(await cacheOf(app, text, Tier.TIER_AUTO), MEMORY);
    });

    it("warms the version that calls for the text go to, where a canary takes some of them", async () => {
      await using models = await repositoryCopy("fast");
      await cp("test/fixtures/onnx/undecided.onnx", models.at("fast", "2/model.onnx"));
      await models.addParameter("fast", "candidate_version", "2");
      await models.addParameter("fast", "canary_share", "0.5");
      await using app = await runApp(withKeys({ ...CACHING, MODEL_REPOSITORY: models.folder }));
      const texts = Array.from({ length: 16 }, (_, place) => `text ${place}`);
      assert.equal((await adminOf(app).warmCache({ texts, tier })).warmed, 16);
      const versions = new Set<string | undefined>();
      for (const text of texts) {
        const { sentiment } = await analyze(app, text);
        assert.equal(sentiment?.cache, MEMORY);
        versions.add(sentiment.modelVersion[0]);
      }
      assert.deepEqual([...versions].sort(), ["1", "2"]);
    });

    it("is not counted among what calls look for in the caches", async () => {
      await using app = await runApp(withKeys());
      await adminOf(app).warmCache({ texts: ["one", "two"], tier });
      const metrics = async () => (await fetch(`http://${app.app.opsAddress}/metrics`)).text();
      assert.doesNotMatch(await metrics(), /^sentiment_cache_(lookups_total|hit_rate)[{ ]/m);
      await analyze(app, "one");
      assert.match(await metrics(), /^sentiment_cache_hit_rate 1$/m);
    });

    it("gives way to calls: nothing while one is under way, then one text a second", async () => {
      const clock = new FakeClock();
      // Two batches at once: the call alone would not keep the warming from the model.
      const backend = heldBackend(2);
      await using app = await runApp(withKeys(), { clock, backend: () => backend });
      const call = analyze(app, "a call");
      await until(() => backend.waiting === 1);
      const texts = Array.from({ length: 20 }, (_, place) => `text ${place}`);
      const warming = adminOf(app).warmCache({ texts, tier });
      await wait(clock, 900);
      assert.deepEqual([backend.waiting, backend.rows], [1, 1]);
      await wait(clock, 300);
      assert.deepEqual([backend.waiting, backend.rows], [2, 2]);
      backend.release();
      await call;
      let done = false;
      const warmed = warming.then((reply) => {
        done = true;
        return reply.warmed;
      });
      while (!done) await wait(clock, 20);
      assert.equal(await warmed, 20);
    });

    it("ends at REQUEST_TIMEOUT, and says how many texts were done", async () => {
      const backend = heldBackend();
      const env = withKeys({ ...CACHING, REQUEST_TIMEOUT: "1" });
      await using app = await runApp(env, { backend: () => backend });
      const failure = await failureOf((options) =>
        adminOf(app).warmCache({ texts: ["", "one", "two"], tier }, options),
      );
      assert.equal(failure.reason, "DEADLINE");
      assert.match(failure.message, /^1 of 3 texts were done within 1 s, and stay/);
      backend.release();
    });

    it("stops when its caller leaves", async () => {
      const backend = heldBackend();
      await using app = await runApp(withKeys(), { backend: () => backend });
      const leaving = new AbortController();
      const texts = Array.from({ length: 9 }, (_, place) => `text ${place}`);
      const left = adminOf(app).warmCache({ texts, tier }, { signal: leaving.signal });
      await until(() => backend.waiting === 1);
      const before = backend.rows;
      leaving.abort();
      await assert.rejects(left, { name: "AbortError" });
      await new Promise((next) => setTimeout(next, 100));
      backend.release();
      await analyze(app, "a call");
      assert.equal(backend.rows, before + 1);
      assert.deepEqual(errorsOf(app), []);
    });

    it("ends with the drain, which does not wait for all of it", async () => {
      const backend = heldBackend();
      const app = await runApp(withKeys(), { backend: () => backend });
      const failing = failureOf((options) =>
        adminOf(app).warmCache({ texts: ["one", "two"], tier }, options),
      );
      await until(() => backend.waiting === 1);
      const stopped = app.app[Symbol.asyncDispose]();
      assert.equal((await failing).reason, "DRAINING");
      await stopped;
      app.channel.close();
      assert.deepEqual(errorsOf(app), []);
    });

    it("refuses too many texts, none, and a server without caches", async () => {
      await using app = await runApp(withKeys());
      const reasonOf = async (running: RunningApp, texts: readonly string[]) =>
        (
          await failureOf((options) =>
            adminOf(running).warmCache({ texts: [...texts], tier }, options),
          )
        ).reason;
      assert.equal(await reasonOf(app, []), "BATCH_EMPTY");
      assert.equal(await reasonOf(app, Array(10_001).fill("x")), "BATCH_TOO_LARGE");
      await using without = await runApp(withKeys({ ENABLE_CACHING: "false" }));
      assert.equal(await reasonOf(without, ["x"]), "NOT_IMPLEMENTED");
    });
  });
});
