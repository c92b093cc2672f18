import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { CacheKey } from "../../server/cache/cache.js";
import { redisCache } from "../../server/cache/redis.js";
import { connectTo, type RedisConnection } from "../../server/cache/redis-connection.js";
import { redisTarget } from "../../server/cache/redis-url.js";
import { systemClock } from "../../server/core/clock.js";
import { bytesCodec, notedReport } from "../support/cache-doubles.js";
import { until } from "../support/held-backend.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

const key = (hash: string, space = "balanced@1"): CacheKey => ({ space, hash });
const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** A cache once it is connected. */
async function connectedCache(url: string, options = {}) {
  const report = notedReport();
  const cache = redisCache({ url, ttlMs: 60_000, ...options }, bytesCodec, systemClock, report);
  await until(() => report.states.includes("up"));
  const written = (count: number) => until(() => (report.counts.get("set written") ?? 0) >= count);
  const valuesOf = async (keys: readonly CacheKey[]) =>
    (await cache.get(keys)).map((hit) => hit?.value);
  return { cache, report, written, valuesOf };
}

/** What speaks to the server past the cache. */
const rawConnection = (url: string): Promise<RedisConnection> =>
  connectTo(redisTarget(url), systemClock)(() => {});

describe("the Redis cache on a real Redis", () => {
  let redis: RedisServer;
  let raw: RedisConnection;
  before(async function () {
    this.timeout(15_000);
    redis = await startRedis();
    raw = await rawConnection(redis.url);
  });
  after(async () => {
    raw.close();
    await redis.kill();
  });

  it("gives binary values back, in the order of the keys, to every client", async () => {
    const { cache: one, written } = await connectedCache(redis.url);
    const { cache: other } = await connectedCache(redis.url);
    await using _ = one;
    await using __ = other;
    one.set([
      [key("a"), everyByte],
      [key("b"), Uint8Array.of(0)],
      [key("c"), new Uint8Array(0)],
    ]);
    await written(3);
    const hits = await other.get(["c", "missing", "a", "b", "a"].map((hash) => key(hash)));
    assert.deepEqual(hits, [
      { value: new Uint8Array(0), tier: "redis" },
      undefined,
      { value: everyByte, tier: "redis" },
      { value: Uint8Array.of(0), tier: "redis" },
      { value: everyByte, tier: "redis" },
    ]);
    const [stored] = await raw.get(["sap:v1:balanced@1:a"]);
    assert.deepEqual(stored, bytesCodec.encode(everyByte, key("a")));
  });

  it("asks for a batch in one command", async () => {
    const { cache, written, valuesOf } = await connectedCache(redis.url);
    await using _ = cache;
    const keys = Array.from({ length: 100 }, (_, index) => key(`batch-${index}`));
    const values = keys.map((_, index) => Uint8Array.of(index));
    cache.set(keys.map((name, index) => [name, values[index] ?? everyByte] as const));
    await written(100);
    const before = await commandsOf(redis);
    assert.deepEqual(await valuesOf(keys), values);
    assert.equal((await commandsOf(redis)) - before, 1);
  });

  it("forgets after the time to live", async () => {
    const { cache, written, valuesOf } = await connectedCache(redis.url, { ttlMs: 200 });
    await using _ = cache;
    cache.set([[key("brief"), everyByte]]);
    await written(1);
    assert.deepEqual(await valuesOf([key("brief")]), [everyByte]);
    await sleep(250);
    assert.deepEqual(await valuesOf([key("brief")]), [undefined]);
  });

  it("takes what it cannot read for a miss, whatever stands there", async () => {
    const odd = (hash: string) => key(hash, "odd");
    const { cache, report, valuesOf } = await connectedCache(redis.url);
    await using _ = cache;
    await raw.set(
      "sap:v1:odd:cut",
      bytesCodec.encode(everyByte, odd("cut")).subarray(0, 100),
      60_000,
    );
    await raw.set("sap:v1:odd:other", bytesCodec.encode(everyByte, odd("cut")), 60_000);
    await raw.set("sap:v1:odd:text", Buffer.from('{"value":"x"}'), 60_000);
    await raw.set("sap:v1:odd:empty", Buffer.alloc(0), 60_000);
    await redis.ask("RPUSH", "sap:v1:odd:list", "x");
    const keys = ["cut", "other", "text", "empty", "list"].map(odd);
    assert.deepEqual(
      await valuesOf(keys),
      keys.map(() => undefined),
    );
    assert.equal(report.counts.get("get unreadable"), 4);
    assert.equal(report.counts.get("get miss"), 1);
  });

  it("clears a space, or all that is its own", async () => {
    const { cache, written, valuesOf } = await connectedCache(redis.url);
    await using _ = cache;
    await cache.clear();
    await raw.set("someone-elses", everyByte, 60_000);
    const many = Array.from({ length: 999 }, (_, index) => key(String(index), "fast@2"));
    const other = key("1", "fast@20");
    cache.set([...many, other].map((name) => [name, everyByte] as const));
    await written(1000);
    assert.equal(await cache.clear("fast@2"), 999);
    assert.deepEqual(await valuesOf([key("1", "fast@2"), other]), [undefined, everyByte]);
    assert.equal(await cache.clear(), 1);
    const [kept] = await raw.get(["someone-elses"]);
    assert.deepEqual(kept, Buffer.from(everyByte));
  });

  it("takes an answer that came in time though the process was busy", async () => {
    const { cache, report } = await connectedCache(redis.url);
    await using _ = cache;
    const hits = cache.get([key("none")]);
    // After the client has written, which it does in an immediate too; the limit is over before anybody reads.
    setImmediate(() => spin(60));
    await hits;
    assert.deepEqual([...report.counts], [["get miss", 1]]);
  });

  it("goes on reading where Redis has no room to write", async () => {
    await using full = await startRedis({ args: ["--maxmemory-policy", "noeviction"] });
    const { cache, report, written, valuesOf } = await connectedCache(full.url);
    await using _ = cache;
    cache.set([[key("before"), everyByte]]);
    await written(1);
    await full.ask("CONFIG", "SET", "maxmemory", "1");
    cache.set(Array.from({ length: 20 }, (_, index) => [key(String(index)), everyByte] as const));
    await until(() => report.counts.get("set error") === 20);
    assert.match(report.reasons[0] ?? "", /^OOM /);
    assert.deepEqual(await valuesOf([key("before")]), [everyByte]);
    assert.deepEqual(report.states, ["up"]);
  });
});

/** Commands that a Redis has run, less those that ask for it. */
async function commandsOf(redis: RedisServer): Promise<number> {
  const stats = await redis.ask("INFO", "commandstats");
  const calls = [...stats.matchAll(/cmdstat_(?!info|ping)[^:]+:calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

function spin(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
