import assert from "node:assert/strict";
import { CacheTier, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { FakeClock } from "../support/fake-clock.js";
import { until } from "../support/held-backend.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { type RunningApp, runApp } from "../support/running-app.js";

const TEXT = "I love this product!";
const CHECK_MS = 5000;

describe("a server that runs short of memory", function () {
  this.timeout(30_000);
  let models: RepositoryCopy;
  before(async () => {
    models = await repositoryCopy("fast", "balanced");
  });
  after(() => models[Symbol.asyncDispose]());

  const start = (env: Readonly<Record<string, string>>, clock = new FakeClock()) =>
    runApp(
      { MODEL_REPOSITORY: models.folder, DEFAULT_TIER: "fast", MAX_WORKERS: "1", ...env },
      { clock },
    );
  const analyze = async ({ client }: RunningApp, tier: Tier) => {
    const { sentiment } = await client.analyze({ text: TEXT, tier, options: undefined });
    return sentiment?.label;
  };
  const metrics = async ({ app }: RunningApp) =>
    (await fetch(`http://${app.opsAddress}/metrics`)).text();
  const unloadsOf = ({ log }: RunningApp) =>
    log
      .filter(({ msg }) => msg === "model unloaded")
      .map(({ model, cause, level }) => ({ model, cause, level }));
  const isReady = async ({ app }: RunningApp) =>
    (await fetch(`http://${app.opsAddress}/readyz`)).status === 200;

  it("unloads the tier that nobody uses, says so, and loads it again for the next call", async () => {
    const clock = new FakeClock();
    await using app = await start({ MEMORY_LIMIT: "1m" }, clock);
    const label = await analyze(app, Tier.TIER_BALANCED);
    // A minute in which the other tier is used.
    for (let ms = 0; ms < 60_000; ms += CHECK_MS) {
      clock.advance(CHECK_MS);
      await analyze(app, Tier.TIER_FAST);
    }
    await until(() => unloadsOf(app).length > 0);
    assert.deepEqual(unloadsOf(app), [
      { model: "sentiment_balanced", cause: "memory", level: "warn" },
    ]);
    const said = await metrics(app);
    assert.match(
      said,
      /^sentiment_model_unloads_total\{model="sentiment_balanced",cause="memory"\} 1$/m,
    );
    assert.match(said, /^sentiment_model_loaded\{model="sentiment_balanced"[^}]*\} 0$/m);
    assert.match(said, /^sentiment_model_loaded\{model="sentiment_fast"[^}]*\} 1$/m);
    assert.equal(await isReady(app), true);

    assert.equal(await analyze(app, Tier.TIER_BALANCED), label);
    assert.match(
      await metrics(app),
      /^sentiment_model_loaded\{model="sentiment_balanced"[^}]*\} 1$/m,
    );
    assert.match(
      await metrics(app),
      /^sentiment_model_loads_total\{model="sentiment_balanced"\} 2$/m,
    );
  });

  it("drops a quarter of the answers in memory at each check, says so, and asks the model again", async () => {
    const clock = new FakeClock();
    await using app = await start({ MEMORY_LIMIT: "1m", ENABLE_CACHING: "true" }, clock);
    const trims = () => app.log.filter(({ msg }) => String(msg).startsWith("memory is short"));
    const cacheOf = async (text: string) => {
      const request = { text, tier: Tier.TIER_FAST, options: undefined };
      return (await app.client.analyze(request)).sentiment?.cache;
    };
    for (let text = 0; text < 8; text++) await cacheOf(`text ${text}`);
    assert.equal(await cacheOf("text 0"), CacheTier.CACHE_TIER_MEMORY);
    const trimmed = async () => {
      const before = trims().length;
      clock.advance(CHECK_MS);
      await until(() => trims().length > before);
    };
    await trimmed();
    assert.deepEqual(
      trims().map(({ level, trimmed: count, left }) => ({ level, count, left })),
      [{ level: "warn", count: 4, left: 12 }],
    );
    assert.match(await metrics(app), /^sentiment_cache_trimmed_total 4$/m);
    while (trims().at(-1)?.["left"] !== 0) await trimmed();
    assert.equal(await cacheOf("text 0"), CacheTier.CACHE_TIER_NONE);
    assert.match(await metrics(app), /^sentiment_cache_trimmed_total 16$/m);
  });

  it("starts with models that do not fit together, and answers for all of them", async () => {
    await using app = await start({ MODEL_CACHE_SIZE: "30m" });
    assert.deepEqual(unloadsOf(app), [
      { model: "sentiment_fast", cause: "cache_size", level: "warn" },
    ]);
    assert.equal(await isReady(app), true);
    for (const tier of [Tier.TIER_FAST, Tier.TIER_BALANCED, Tier.TIER_FAST])
      assert.equal(await analyze(app, tier), await analyze(app, tier));
    assert.equal(unloadsOf(app).length, 4);
  });

  it("unloads and drops nothing with MEMORY_OPTIMIZATION=false", async () => {
    const clock = new FakeClock();
    const env = { MEMORY_LIMIT: "1m", MODEL_CACHE_SIZE: "1m", MEMORY_OPTIMIZATION: "false" };
    await using app = await start(env, clock);
    clock.advance(10 * 60_000);
    await analyze(app, Tier.TIER_FAST);
    assert.deepEqual(unloadsOf(app), []);
  });
});
