import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cache, CacheKey } from "../../server/cache/cache.js";
import { redisCache } from "../../server/cache/redis.js";
import { systemClock } from "../../server/core/clock.js";
import { bytesCodec, notedReport } from "../support/cache-doubles.js";
import { GARBAGE } from "../support/garbage.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { type LyingProxy, startSlowProxy } from "../support/slow-proxy.js";

const KEYS: readonly CacheKey[] = ["a", "b", "c"].map((hash) => ({ space: "fast@1", hash }));
const LIES_MS = 1500;
const BACK_MS = 5000;
const APART_MS = 5;

const itsValue = ({ hash }: CacheKey) => Uint8Array.of(hash.charCodeAt(0));

/** Looks for all keys at once, then one after the other. Each has its own value or none; whether all had it. */
async function allFound(cache: Cache<Uint8Array>): Promise<boolean> {
  const found = (await Promise.all(KEYS.map((key) => cache.get([key])))).flat();
  for (const key of KEYS) found.push(...(await cache.get([key])));
  const values = [...KEYS, ...KEYS].map(itsValue);
  const wrong = found.filter((hit, place) => hit && hit.value[0] !== values[place]?.[0]);
  assert.deepEqual(wrong, []);
  return found.every((hit) => hit !== undefined);
}

// Mocha fails a test for each error that nobody handles.
describe("the Redis cache while what answers is mad", function () {
  this.timeout(20_000);
  let redis: RedisServer;
  let proxy: LyingProxy;
  let cache: Cache<Uint8Array>;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.kill());
  beforeEach(async () => {
    proxy = await startSlowProxy(redis.port);
    const options = { url: `redis://127.0.0.1:${proxy.port}`, ttlMs: 60_000 };
    cache = redisCache(options, bytesCodec, systemClock, notedReport());
    await isOfUse();
  });
  afterEach(async () => {
    await cache[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  async function isOfUse() {
    const startedMs = performance.now();
    while (!(await allFound(cache))) {
      assert.ok(performance.now() < startedMs + BACK_MS, "not back");
      cache.set(KEYS.map((key) => [key, itsValue(key)]));
      await sleep(APART_MS);
    }
  }

  for (const [name, garble] of GARBAGE) {
    it(`gives no wrong value, and is of use again: ${name}`, async () => {
      proxy.garble(garble());
      const endMs = performance.now() + LIES_MS;
      while (performance.now() < endMs) {
        await allFound(cache);
        await sleep(APART_MS);
      }
      proxy.garble(undefined);
      await isOfUse();
    });
  }
});
