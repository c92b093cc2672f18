import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, Metadata } from "nice-grpc";
import {
  type AdminServiceClient,
  AdminServiceDefinition,
  CacheTier,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { keyFolder } from "../support/key-folder.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { sentences } from "../support/sentences.js";
import { failureOf } from "../support/status-details.js";
import { type LoadedCall, steadyLoad } from "../support/steady-load.js";
import { startTriton } from "../support/triton-server.js";

const TEXTS = sentences(500);
const CALLS_PER_SECOND = 100;
const tier = Tier.TIER_FAST;

for (const backend of ["embedded", "triton"]) {
  describe(`models of a running server (${backend})`, function () {
    this.timeout(60_000);
    let models: RepositoryCopy;
    let keyFile: string;
    let key: string;
    let running: RunningApp;
    let admin: AdminServiceClient;
    let stop: AsyncDisposableStack;

    beforeEach(async () => {
      stop = new AsyncDisposableStack();
      models = stop.use(await repositoryCopy("fast"));
      keyFile = stop.use(await keyFolder()).file;
      key = await addNewKey(keyFile, "operator", ["admin", "analyze"]);
    });
    afterEach(() => stop.disposeAsync());

    async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
      const triton =
        backend === "triton"
          ? stop.use(await startTriton({ repository: models.folder }))
          : undefined;
      running = stop.use(
        await runApp({
          BACKEND: backend,
          TRITON_URL: triton?.url ?? "",
          MODEL_REPOSITORY: models.folder,
          DEFAULT_TIER: "fast",
          API_KEYS_FILE: keyFile,
          ...env,
        }),
      );
      const metadata = Metadata({ "x-api-key": key });
      admin = createClient(AdminServiceDefinition, running.channel, { "*": { metadata } });
    }
    const load = (seconds: number) =>
      steadyLoad({
        client: running.client,
        tier,
        texts: TEXTS,
        callsPerSecond: CALLS_PER_SECOND,
        seconds,
        metadata: Metadata({ "x-api-key": key }),
      });
    const addVersion = (version: number, onnx = models.at("fast", "1/model.onnx")) =>
      cp(onnx, models.at("fast", `${version}/model.onnx`));
    const failed = (calls: readonly LoadedCall[]) =>
      calls.filter(({ failure }) => failure !== undefined);
    const versionOf = ({ modelVersion }: LoadedCall) => modelVersion.split("+")[0];
    const metrics = async () => (await fetch(`http://${running.app.opsAddress}/metrics`)).text();
    const counted = async (sample: RegExp) => Number(sample.exec(await metrics())?.[1] ?? 0);

    it("a new version takes over under load: no call fails", async () => {
      await start();
      const loaded = load(4);
      await sleep(1000);
      await addVersion(2);
      const { model } = await admin.loadModel({ tier });
      assert.match(model?.version ?? "", /^2\+/);
      assert.equal(model?.ready, true);
      const calls = await loaded;
      assert.deepEqual(failed(calls), []);
      assert.deepEqual(new Set(calls.map(versionOf)), new Set(["1", "2"]));
      assert.equal(versionOf(calls.at(-1) as LoadedCall), "2");
    });

    it("a canary gets its share of the calls, and equal texts get equal versions", async () => {
      await addVersion(2);
      await models.addParameter("fast", "candidate_version", "2");
      await models.addParameter("fast", "canary_share", "0.1");
      await start();
      const calls = await load(10);
      assert.deepEqual(failed(calls), []);
      const share = calls.filter((call) => versionOf(call) === "2").length / calls.length;
      // Five standard deviations of 500 draws.
      assert.ok(Math.abs(share - 0.1) < 5 * Math.sqrt((0.1 * 0.9) / TEXTS.length), `${share}`);
      const versions = new Map(
        calls.slice(0, TEXTS.length).map((call) => [call.text, versionOf(call)]),
      );
      assert.ok(calls.every((call) => versions.get(call.text) === versionOf(call)));
      assert.equal(
        await counted(/sentiment_canary_total\{model="sentiment_fast",version="2\+[^"]*"\} (\d+)/),
        share * calls.length,
      );
    });

    it("ClearCache forgets what the candidate has answered too", async () => {
      await addVersion(2);
      await models.addParameter("fast", "candidate_version", "2");
      await models.addParameter("fast", "canary_share", "1");
      await start({ ENABLE_CACHING: "true" });
      const [text = ""] = TEXTS;
      const metadata = Metadata({ "x-api-key": key });
      const ask = async () => {
        const request = { text, tier, options: undefined };
        const { sentiment } = await running.client.analyze(request, { metadata });
        return sentiment;
      };
      // The first calls find it not loaded, and do not wait for it.
      while ((await ask())?.modelVersion.startsWith("2+") !== true) await sleep(20);
      assert.equal((await ask())?.cache, CacheTier.CACHE_TIER_MEMORY);
      const cache = CacheTier.CACHE_TIER_UNSPECIFIED;
      await admin.clearCache({ cache, model: "sentiment_fast" });
      assert.equal((await ask())?.cache, CacheTier.CACHE_TIER_NONE);
    });

    it("a bad version in the shadow is seen within 500 calls, and changes no answer", async () => {
      await addVersion(2, "test/fixtures/onnx/undecided.onnx");
      await models.addParameter("fast", "candidate_version", "2");
      await models.addParameter("fast", "shadow_share", "0.5");
      await start();
      const calls = await load(5);
      assert.deepEqual(failed(calls), []);
      assert.ok(calls.every((call) => versionOf(call) === "1"));
      const flips = await counted(
        /sentiment_shadow_total\{model="sentiment_fast",outcome="flip"\} (\d+)/,
      );
      assert.ok(flips >= 50, `${flips} flips`);
      const warning = running.log.find(({ msg }) => msg === "the candidate answers otherwise");
      assert.equal(warning?.["model"], "sentiment_fast");
    });

    it("an unloaded model loads again at the next call", async () => {
      await start();
      const { model } = await admin.unloadModel({ tier });
      assert.equal(model?.ready, false);
      assert.match(
        await metrics(),
        /sentiment_model_unloads_total\{model="sentiment_fast",cause="admin"\} 1/,
      );
      assert.match(await metrics(), /sentiment_model_loaded\{model="sentiment_fast"[^}]*\} 0/);
      assert.deepEqual(failed(await load(0.1)), []);
      assert.match(await metrics(), /sentiment_model_loaded\{model="sentiment_fast"[^}]*\} 1/);
    });

    it("a folder that is broken is refused, and what was served goes on being served", async () => {
      await start();
      await addVersion(2, "test/fixtures/onnx/five-classes.onnx");
      const failure = await failureOf((options) => admin.loadModel({ tier }, options));
      assert.match(failure.message, /not 3 finite numbers .* but 5/);
      assert.equal(failure.reason, backend === "triton" ? "BACKEND_DOWN" : "MODEL_UNUSABLE");
      assert.deepEqual(failed(await load(0.2)), []);
    });
  });
}
