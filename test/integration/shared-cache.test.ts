import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError, createChannel, createClient, Metadata, Status } from "nice-grpc";
import {
  AdminServiceDefinition,
  CacheTier,
  LongText,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { keyFolder } from "../support/key-folder.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { sentences } from "../support/sentences.js";
import { startServer } from "../support/server-process.js";
import { steadyLoad, wrongOf } from "../support/steady-load.js";

const TEXT = "The soup was cold, but the waiter could not have been nicer.";
const tier = Tier.TIER_FAST;

describe("a cache that servers share", function () {
  this.timeout(60_000);
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis[Symbol.asyncDispose]());
  const settings = () => ({ ENABLE_CACHING: "true", REDIS_URL: redis.url });
  const analyzed = async ({ client }: Pick<RunningApp, "client">, options = {}) => {
    const all = {
      explain: false,
      sentences: false,
      skipCache: false,
      longText: LongText.LONG_TEXT_UNSPECIFIED,
      ...options,
    };
    return (await client.analyze({ text: TEXT, tier, options: all })).sentiment;
  };

  for (const options of [{}, { sentences: true, explain: true }]) {
    it(`answers in a second process from Redis, then from its memory (${JSON.stringify(options)})`, async () => {
      await using first = await runApp(settings());
      await using second = await startServer(settings());
      const channel = createChannel(second.address);
      const client = createClient(SentimentServiceDefinition, channel);
      const answer = await analyzed(first, options);
      assert.equal(answer?.cache, CacheTier.CACHE_TIER_NONE);
      // Nobody waits for the write.
      await sleep(200);
      const { CACHE_TIER_REDIS: REDIS, CACHE_TIER_MEMORY: MEMORY } = CacheTier;
      assert.deepEqual(await analyzed({ client }, options), { ...answer, cache: REDIS });
      assert.deepEqual(await analyzed({ client }, options), { ...answer, cache: MEMORY });
      channel.close();
    });
  }

  for (const [fault, strike] of [
    ["killed", (server: RedisServer) => server.kill()],
    ["frozen", async (server: RedisServer) => server.freeze()],
  ] as const) {
    it(`is not missed by callers when it is ${fault}`, async () => {
      const texts = sentences(200);
      await using plain = await runApp();
      const load = { client: plain.client, tier, texts, callsPerSecond: 100, seconds: 2 };
      const truth = new Map(
        (await steadyLoad(load)).map(({ text, score = Number.NaN }) => [text, score]),
      );
      await using app = await runApp({ ...settings(), RESULT_CACHE_SIZE: "1" });
      const loaded = steadyLoad({ ...load, client: app.client, seconds: 6 });
      await sleep(2000);
      await strike(redis);
      const calls = await loaded;
      assert.equal(calls.filter(({ failure }) => failure !== undefined).length, 0);
      assert.deepEqual(wrongOf(calls, truth), []);
      assert.ok(app.log.some(({ msg }) => msg === "redis is down"));
    });
  }

  it("fails a ClearCache that it did not hear of, and is forgotten in memory all the same", async () => {
    await using keys = await keyFolder();
    const key = await addNewKey(keys.file, "operator", ["admin", "analyze"]);
    await using app = await runApp({ ...settings(), API_KEYS_FILE: keys.file });
    const options = { "*": { metadata: Metadata({ "x-api-key": key }) } };
    const client = createClient(SentimentServiceDefinition, app.channel, options);
    const admin = createClient(AdminServiceDefinition, app.channel, options);
    const cacheOf = async () => (await analyzed({ client }))?.cache;
    const { CACHE_TIER_NONE: NONE, CACHE_TIER_MEMORY: MEMORY } = CacheTier;
    assert.deepEqual([await cacheOf(), await cacheOf()], [NONE, MEMORY]);
    await redis.kill();
    await assert.rejects(
      admin.clearCache({ cache: CacheTier.CACHE_TIER_UNSPECIFIED, model: "" }),
      (error) => {
        assert.ok(error instanceof ClientError);
        assert.equal(error.code, Status.UNAVAILABLE);
        assert.match(error.details, /Redis was not cleared as a whole/);
        return true;
      },
    );
    assert.equal(await cacheOf(), NONE);
  });

  it("refuses to start with a URL that is none, and does not repeat its password", async () => {
    await assert.rejects(
      runApp({ ENABLE_CACHING: "true", REDIS_URL: "http://user:secret@nowhere" }),
      (error) =>
        error instanceof Error && /REDIS_URL/.test(error.message) && !/secret/.test(error.message),
    );
  });
});
