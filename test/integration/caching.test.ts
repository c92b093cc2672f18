import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { AbortError } from "abort-controller-x";
import { createClient, Metadata } from "nice-grpc";
import {
  AdminServiceDefinition,
  type AnalyzeOptions,
  CacheTier,
  LongText,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { heldBackend, until } from "../support/held-backend.js";
import { keyFolder } from "../support/key-folder.js";
import { repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";

const CACHING = { ENABLE_CACHING: "true" };
const tier = Tier.TIER_FAST;
const TEXT = "The soup was cold, but the waiter could not have been nicer.";
const NOTHING: AnalyzeOptions = {
  explain: false,
  sentences: false,
  skipCache: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

describe("caching", function () {
  this.timeout(20_000);
  const ask = async (
    { client }: RunningApp,
    text: string,
    options: Partial<AnalyzeOptions> = {},
  ) => {
    const { sentiment } = await client.analyze({ text, tier, options: { ...NOTHING, ...options } });
    assert.ok(sentiment);
    return sentiment;
  };
  const { CACHE_TIER_MEMORY: MEMORY, CACHE_TIER_NONE: NONE } = CacheTier;

  describe("of one running server", () => {
    let app: RunningApp;
    before(async () => {
      app = await runApp(CACHING);
    });
    after(() => app[Symbol.asyncDispose]());

    for (const options of [{}, { sentences: true }, { explain: true }]) {
      it(`answers a text again as before, from memory (${JSON.stringify(options)})`, async () => {
        const first = await ask(app, TEXT, options);
        const second = await ask(app, TEXT, options);
        assert.equal(first.cache, NONE);
        assert.deepEqual(second, { ...first, cache: MEMORY });
      });
    }

    it("gives each question its own answer", async () => {
      const text = "Lovely rooms. Awful breakfast.";
      assert.equal((await ask(app, text)).sentences.length, 0);
      const withSentences = await ask(app, text, { sentences: true });
      assert.equal(withSentences.cache, NONE);
      assert.equal(withSentences.sentences.length, 2);
      const long = "It was good. ".repeat(100);
      const read = await ask(app, long, { longText: LongText.LONG_TEXT_TRUNCATE });
      const whole = await ask(app, long);
      assert.equal(whole.cache, NONE);
      assert.ok(whole.analyzedTokenCount > read.analyzedTokenCount);
    });

    it("gives each tier its own answer", async () => {
      await ask(app, "What a day");
      const request = { text: "What a day", tier: Tier.TIER_BALANCED, options: undefined };
      assert.equal((await app.client.analyze(request)).sentiment?.cache, NONE);
    });

    it("knows a text again by what the model reads of it", async () => {
      const first = await ask(app, "We had a GREAT time");
      const second = await ask(app, "we  had a great\ttime");
      assert.deepEqual(second, { ...first, cache: MEMORY });
    });

    it("neither reads nor writes where it is to be skipped", async () => {
      const text = "Skip this one";
      await ask(app, text, { skipCache: true });
      assert.equal((await ask(app, text)).cache, NONE);
      assert.equal((await ask(app, text, { skipCache: true })).cache, NONE);
      assert.equal((await ask(app, text)).cache, MEMORY);
    });

    it("answers what it has of a batch, and the model the rest", async () => {
      await ask(app, "known");
      const texts = ["known", "new", "known", "", "new"];
      const { results } = await app.client.analyzeBatch({ texts, tier, options: undefined });
      assert.deepEqual(
        results.map(({ sentiment }) => sentiment?.cache),
        [MEMORY, NONE, MEMORY, undefined, NONE],
      );
      assert.equal(results[1]?.sentiment?.score, results[4]?.sentiment?.score);
    });

    it("answers the cascade, too", async () => {
      const request = { text: "Not bad at all", tier: Tier.TIER_AUTO, options: undefined };
      const first = (await app.client.analyze(request)).sentiment;
      const second = (await app.client.analyze(request)).sentiment;
      assert.deepEqual(second, { ...first, cache: MEMORY });
    });

    it("tells in metrics what was looked for, and found", async () => {
      const text = await (await fetch(`http://${app.app.opsAddress}/metrics`)).text();
      assert.match(text, /sentiment_cache_lookups_total\{tier="memory",outcome="hit"\} [1-9]/);
      assert.match(text, /sentiment_cache_lookups_total\{tier="memory",outcome="miss"\} [1-9]/);
      const rate = Number(/^sentiment_cache_hit_rate (\S+)$/m.exec(text)?.[1]);
      assert.ok(rate > 0 && rate < 1, `${rate}`);
    });
  });

  it("costs 1,000 equal calls at once one row of the model", async () => {
    const backend = heldBackend();
    await using app = await runApp(CACHING, { backend: () => backend });
    const calls = Array.from({ length: 1000 }, () => ask(app, TEXT));
    await until(() => backend.waiting === 1);
    backend.release();
    const answers = await Promise.all(calls);
    assert.equal(backend.rows, 1);
    assert.equal(new Set(answers.map(({ score }) => score)).size, 1);
  });

  it("of 200 callers of whom 150 leave, the first among them, answers the other 50 by one row", async () => {
    const backend = heldBackend();
    await using app = await runApp(CACHING, { backend: () => backend });
    const leaving = new AbortController();
    const request = { text: TEXT, tier, options: undefined };
    const left = Array.from({ length: 150 }, () =>
      app.client.analyze(request, { signal: leaving.signal }),
    );
    await until(() => backend.waiting === 1);
    const staying = Array.from({ length: 50 }, () => ask(app, TEXT));
    // Calls of one connection come in their order: all have arrived once a later one is answered.
    await app.client.listModels({});
    leaving.abort();
    for (const call of left) await assert.rejects(call, AbortError);
    backend.release();
    assert.equal((await Promise.all(staying)).length, 50);
    assert.equal(backend.rows, 1);
  });

  it("does not hand on what failed somebody else", async () => {
    const backend = heldBackend();
    let calls = 0;
    const flaky = {
      ...backend,
      infer: async (...args: Parameters<typeof backend.infer>) => {
        const call = ++calls;
        const inference = await backend.infer(...args);
        if (call === 1) throw new Error("this batch alone");
        return inference;
      },
    };
    await using app = await runApp(CACHING, { backend: () => flaky });
    const first = assert.rejects(ask(app, TEXT));
    await until(() => backend.waiting === 1);
    const second = ask(app, TEXT);
    // Calls of one connection come in their order: the second has arrived once a later one is answered.
    await app.client.listModels({});
    backend.release();
    await first;
    assert.ok((await second).score !== undefined);
  });

  it("never answers for a new version what the old one said", async () => {
    await using models = await repositoryCopy("fast");
    await using keys = await keyFolder();
    const key = await addNewKey(keys.file, "operator", ["admin", "analyze"]);
    const metadata = Metadata({ "x-api-key": key });
    await using app = await runApp({
      ...CACHING,
      MODEL_REPOSITORY: models.folder,
      DEFAULT_TIER: "fast",
      API_KEYS_FILE: keys.file,
    });
    const admin = createClient(AdminServiceDefinition, app.channel, { "*": { metadata } });
    const request = { text: TEXT, tier, options: undefined };
    let over = false;
    const versions: string[] = [];
    const load = async () => {
      while (!over) {
        const { sentiment } = await app.client.analyze(request, { metadata });
        const { probabilities, modelVersion = "" } = sentiment ?? {};
        // The second version says of every text that all is equally probable.
        const isUndecided = Math.abs((probabilities?.neutral ?? 0) - 1 / 3) < 0.001;
        assert.equal(isUndecided, modelVersion.startsWith("2+"), modelVersion);
        versions.push(modelVersion);
      }
    };
    const loads = [load(), load(), load()];
    await until(() => versions.length > 20);
    await cp("test/fixtures/onnx/undecided.onnx", models.at("fast", "2/model.onnx"));
    await admin.loadModel({ tier });
    const before = versions.length;
    await until(() => versions.length > before + 20);
    over = true;
    await Promise.all(loads);
    assert.match(versions.at(-1) ?? "", /^2\+/);

    const { cleared } = await admin.clearCache({
      cache: CacheTier.CACHE_TIER_UNSPECIFIED,
      model: "sentiment_fast",
    });
    assert.equal(cleared, 1);
    const { sentiment } = await app.client.analyze(request, { metadata });
    assert.equal(sentiment?.cache, NONE);
  });

  it("folds case and white space before reading only where it is told to", async () => {
    await using app = await runApp({ ...CACHING, AGGRESSIVE_CACHING: "true" });
    const first = await ask(app, "A Fine  Day");
    assert.deepEqual(await ask(app, " a fine day"), { ...first, cache: MEMORY });
  });
});
