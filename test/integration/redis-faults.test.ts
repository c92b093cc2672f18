import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cache } from "../../server/cache/cache.js";
import { redisCache } from "../../server/cache/redis.js";
import { systemClock } from "../../server/core/clock.js";
import { bytesCodec, notedReport } from "../support/cache-doubles.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import type { SlowProxy } from "../support/slow-proxy.js";
import { startProxy } from "../support/toxiproxy.js";

const KEY = { space: "fast@1", hash: "a" };
const VALUE = Uint8Array.of(1, 2, 3);
const LIMIT_MS = 20;
/** More than that beyond a timer of the same limit no get may take: who waited for Redis would take seconds, and a busy machine some turns of the event loop. */
const SLACK_MS = 100;
const BACK_MS = 5000;
const APART_MS = 5;

/** Writes and reads one value over and over, as long as `more` says; how late the latest answer was, and how many were hits. */
async function useCache(cache: Cache<Uint8Array>, more: (hits: number) => boolean) {
  let hits = 0;
  let asked = 0;
  let latestMs = 0;
  do {
    cache.set([[KEY, VALUE]]);
    // Beside a timer that is as long: what holds up the whole process holds up both.
    const limit = sleep(LIMIT_MS).then(() => performance.now());
    const [hit] = await cache.get([KEY]);
    const endedMs = performance.now();
    if (hit !== undefined) assert.deepEqual(hit.value, VALUE);
    hits += hit === undefined ? 0 : 1;
    asked += 1;
    latestMs = Math.max(latestMs, endedMs - (await limit));
    await sleep(APART_MS);
  } while (more(hits));
  return { hits, asked, latestMs };
}

const forMs = (ms: number) => {
  const endMs = performance.now() + ms;
  return () => performance.now() < endMs;
};

async function connectionsOf(redis: RedisServer): Promise<number> {
  const clients = await redis.ask("INFO", "clients");
  return Number(/connected_clients:(\d+)/.exec(clients)?.[1]);
}

// Mocha fails a test for each error that nobody handles.
describe("the Redis cache while Redis fails", function () {
  this.timeout(20_000);
  let redis: RedisServer;
  let proxy: SlowProxy;
  let cache: Cache<Uint8Array>;
  let report: ReturnType<typeof notedReport>;

  beforeEach(async () => {
    redis = await startRedis();
    proxy = await startProxy(redis.port);
    report = notedReport();
    const options = { url: `redis://127.0.0.1:${proxy.port}`, ttlMs: 60_000 };
    cache = redisCache(options, bytesCodec, systemClock, report);
    await useCache(cache, (hits) => hits === 0);
  });
  afterEach(async () => {
    await cache[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await redis.kill();
  });

  const timeouts = () => report.counts.get("get timeout") ?? 0;
  /** Nothing comes of it, and nobody waits longer than the limit; resolves with how many waited as long. */
  async function isOfNoUse(ms: number) {
    const before = timeouts();
    const use = await useCache(cache, forMs(ms));
    assert.equal(use.hits, 0);
    assert.ok(use.latestMs < SLACK_MS, `${use.latestMs} ms beyond the limit`);
    assert.equal(report.states.at(-1), "down");
    return timeouts() - before;
  }

  async function isBack() {
    const startedMs = performance.now();
    const use = await useCache(
      cache,
      (hits) => hits === 0 && performance.now() < startedMs + BACK_MS,
    );
    const tookMs = performance.now() - startedMs;
    assert.equal(use.hits, 1, `not back after ${tookMs} ms`);
    assert.ok(use.latestMs < SLACK_MS, `${use.latestMs} ms beyond the limit`);
    assert.deepEqual(report.states.slice(-2), ["down", "up"]);
  }

  it("killed, and started again", async () => {
    await redis.kill();
    assert.equal(await isOfNoUse(1500), 0);
    redis = await startRedis({ port: redis.port });
    await isBack();
  });

  it("frozen, and thawed", async () => {
    redis.freeze();
    assert.equal(await isOfNoUse(3500), 5);
    redis.thaw();
    await isBack();
  });

  it("300 ms slow, and quick again", async () => {
    await proxy.delay(300);
    assert.equal(await isOfNoUse(2500), 5);
    await proxy.delay(0);
    await isBack();
  });

  it("cut off, and to be reached again", async () => {
    await proxy.cut();
    assert.equal(await isOfNoUse(3500), 5);
    await proxy.mend();
    await isBack();
    assert.ok((await connectionsOf(redis)) <= 2, "one in use, and the one that asks");
  });

  it("absent when the cache starts", async () => {
    await redis.kill();
    const late = notedReport();
    await using other = redisCache(
      { url: redis.url, ttlMs: 60_000 },
      bytesCodec,
      systemClock,
      late,
    );
    await useCache(other, forMs(200));
    assert.deepEqual(late.states, ["down"]);
    redis = await startRedis({ port: redis.port });
    const { hits } = await useCache(other, (found) => found === 0);
    assert.equal(hits, 1);
  });

  it("not a Redis at all", async () => {
    const web = createServer((_, response) => response.end("hello"));
    await once(web.listen(0, "127.0.0.1"), "listening");
    const { port } = web.address() as AddressInfo;
    const strange = notedReport();
    const options = { url: `redis://127.0.0.1:${port}`, ttlMs: 60_000 };
    const other = redisCache(options, bytesCodec, systemClock, strange);
    const { hits } = await useCache(other, forMs(300));
    await other[Symbol.asyncDispose]();
    web.close();
    assert.equal(hits, 0);
    assert.deepEqual(strange.states, ["down"]);
  });
});
