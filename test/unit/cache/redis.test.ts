import assert from "node:assert/strict";
import { redisCache } from "../../../server/cache/redis.js";
import type { RedisConnection } from "../../../server/cache/redis-connection.js";
import { bytesCodec, notedReport } from "../../support/cache-doubles.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

const KEY = { space: "model@1", hash: "abc" };
const VALUE = Uint8Array.of(1, 2, 3);
const never = () => new Promise<never>(() => {});
/** From one probe to the next, at the most. */
const PROBE_MS = 1100;

/** A Redis of which the test says what it answers; as it is, it answers at once and has nothing. */
function scripted(changes: Partial<RedisConnection> = {}) {
  const script = {
    get: async (keys) => keys.map(() => null),
    set: async () => "OK",
    ping: async () => "PONG",
    async *scan() {},
    unlink: async (keys) => keys.length,
    close() {
      script.closed += 1;
    },
    ...changes,
    closed: 0,
    connects: 0,
    gone: (_error: unknown) => {},
  } as RedisConnection & { closed: number; connects: number; gone: (error: unknown) => void };
  return script;
}

async function cacheOn(script: ReturnType<typeof scripted>, options = {}) {
  const clock = new FakeClock();
  const report = notedReport();
  const cache = redisCache(
    { url: "", ttlMs: 1000, ...options },
    bytesCodec,
    clock,
    report,
    async (gone) => {
      script.connects += 1;
      script.gone = gone;
      return { ...script };
    },
  );
  await turn();
  /** What a get brings that takes `ms`. */
  const getAfter = async (ms: number) => {
    const hits = cache.get([KEY]);
    await turn();
    clock.advance(ms);
    await turn();
    await turn();
    return hits;
  };
  return { cache, clock, report, getAfter };
}

describe("the Redis cache", () => {
  it("asks nothing before it is connected", async () => {
    const script = scripted({ ping: never });
    const { cache, report } = await cacheOn(script);
    cache.set([[KEY, VALUE]]);
    assert.deepEqual(await cache.get([KEY, KEY]), [undefined, undefined]);
    assert.deepEqual(await cache.get([]), []);
    assert.deepEqual(report.states, []);
    assert.deepEqual(Object.fromEntries(report.counts), { "set skipped": 1, "get skipped": 2 });
  });

  it("gives an answer up at its limit, and Redis after five in a row, until a probe is answered", async () => {
    const script = scripted({ get: never });
    const { cache, clock, report, getAfter } = await cacheOn(script);
    for (let round = 0; round < 5; round++) assert.deepEqual(await getAfter(20), [undefined]);
    assert.deepEqual(report.states, ["up", "down"]);
    assert.equal(script.closed, 1);

    cache.set([[KEY, VALUE]]);
    assert.deepEqual(await cache.get([KEY]), [undefined]);
    assert.deepEqual(Object.fromEntries(report.counts), {
      "get timeout": 5,
      "set skipped": 1,
      "get skipped": 1,
    });

    script.ping = never;
    clock.advance(PROBE_MS);
    for (let tries = 0; tries < 2; tries++) {
      await turn();
      clock.advance(20);
      await turn();
    }
    await turn();
    assert.equal(script.connects, 2);
    assert.deepEqual(report.states, ["up", "down"]);

    Object.assign(script, scripted(), { connects: 2 });
    clock.advance(PROBE_MS);
    await turn();
    assert.equal(script.connects, 3);
    assert.deepEqual(report.states, ["up", "down", "up"]);
    await getAfter(0);
    assert.equal(report.counts.get("get miss"), 1);
  });

  it("counts what goes unanswered at the same time once, and forgets it after an answer", async () => {
    const script = scripted({ get: never });
    const { cache, report, clock, getAfter } = await cacheOn(script);
    const together = Array.from({ length: 20 }, () => cache.get([KEY]));
    clock.advance(20);
    await Promise.all(together);
    for (let round = 0; round < 3; round++) await getAfter(21);
    assert.deepEqual(report.states, ["up"]);
    assert.equal(report.counts.get("get timeout"), 23);
  });

  it("gives Redis up at once when the connection breaks", async () => {
    const script = scripted();
    const { report } = await cacheOn(script);
    script.gone(new Error("reset"));
    script.gone(new Error("reset"));
    assert.deepEqual(report.states, ["up", "down"]);
    assert.equal(script.closed, 1);
  });

  it("says once that it never came up, whatever the addresses said", async () => {
    const why: string[] = [];
    const report = {
      ...notedReport(),
      turned: (state: string, reason: string) => why.push(`${state}: ${reason}`),
    };
    const clock = new FakeClock();
    const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
    redisCache({ url: "", ttlMs: 1 }, bytesCodec, clock, report, () => Promise.reject(refused));
    for (let round = 0; round < 3; round++) {
      await turn();
      clock.advance(PROBE_MS);
    }
    assert.deepEqual(why, ["down: ECONNREFUSED"]);
  });

  it("drops writes beyond those that are under way, and has room again when they end", async () => {
    const held: (() => void)[] = [];
    const ttls: number[] = [];
    const script = scripted({
      set: (_key, _bytes, ttlMs) => {
        ttls.push(ttlMs);
        return new Promise<void>((done) => held.push(done));
      },
    });
    const { cache, report } = await cacheOn(script, { maxWrites: 100 });
    const entries = Array.from({ length: 101 }, () => [KEY, VALUE] as const);
    cache.set(entries);
    assert.equal(held.length, 100);
    assert.equal(report.counts.get("set dropped"), 1);
    held[0]?.();
    await turn();
    cache.set(entries);
    assert.equal(held.length, 101);
    assert.equal(report.counts.get("set written"), 1);
    assert.ok(Math.min(...ttls) >= 900 && Math.max(...ttls) <= 1100, String(ttls));
    assert.ok(new Set(ttls).size > 10, String(ttls));
    assert.ok(ttls.every(Number.isInteger), String(ttls));
  });

  it("counts nothing of what nobody has asked for", async () => {
    const { cache, report, getAfter } = await cacheOn(scripted());
    await getAfter(0);
    assert.deepEqual(await cache.get([KEY], true), [undefined]);
    assert.deepEqual(Object.fromEntries(report.counts), { "get miss": 1 });
  });

  it("bounds the bytes that are under way", async () => {
    const { cache, report } = await cacheOn(scripted({ set: never }));
    const large = new Uint8Array(65_535);
    cache.set(Array.from({ length: 300 }, () => [KEY, large] as const));
    assert.equal(report.counts.get("set dropped"), 300 - 256 + 1);
  });

  it("goes on reading where writes fail", async () => {
    const script = scripted({ set: () => Promise.reject(new Error("OOM")) });
    const { cache, report, getAfter } = await cacheOn(script);
    for (let round = 0; round < 10; round++) cache.set([[KEY, VALUE]]);
    await getAfter(0);
    assert.equal(report.counts.get("set error"), 10);
    assert.deepEqual(report.states, ["up"]);
    assert.equal(report.counts.get("get miss"), 1);
  });

  it("takes a reply with too few values for misses", async () => {
    const { cache } = await cacheOn(scripted({ get: async () => [] }));
    assert.deepEqual(await cache.get([KEY, KEY]), [undefined, undefined]);
  });

  it("says when a clear could not be finished", async () => {
    const script = scripted({
      async *scan() {
        yield ["sap:v1:a:1", "sap:v1:a:2"];
        await never();
      },
    });
    const { cache, clock, report } = await cacheOn(script);
    const isDown = (cleared: Promise<number>, message: RegExp) =>
      assert.rejects(cleared, { name: "ServiceError", reason: "CACHE_DOWN", message });
    const cleared = cache.clear("a");
    await turn();
    clock.advance(5000);
    await isDown(cleared, /no answer within 5000 ms\): 2 of its answers are gone/);
    script.gone(new Error("reset"));
    await isDown(cache.clear(), /cannot be reached\): 0 of its answers are gone/);
    assert.deepEqual(report.reasons, ["no answer within 5000 ms", "it cannot be reached"]);
  });

  it("matches a space as it is written", async () => {
    const patterns: string[] = [];
    const script = scripted({
      scan(pattern) {
        patterns.push(pattern);
        return scripted().scan(pattern);
      },
    });
    const { cache } = await cacheOn(script);
    await cache.clear("a*[b]?\\");
    await cache.clear();
    assert.deepEqual(patterns, ["sap:v1:a\\*\\[b\\]\\?\\\\:*", "sap:v1:*"]);
  });

  it("asks a new connection twice", async () => {
    const answers = [never(), Promise.resolve("PONG")];
    const script = scripted({ ping: () => answers.shift() ?? never() });
    const { clock, report } = await cacheOn(script);
    clock.advance(20);
    await turn();
    await turn();
    assert.deepEqual(report.states, ["up"]);
  });

  it("closes and asks no more", async () => {
    const script = scripted();
    const { cache, clock, report } = await cacheOn(script);
    await cache[Symbol.asyncDispose]();
    assert.equal(script.closed, 1);
    assert.equal(clock.pending, 0);
    assert.deepEqual(await cache.get([KEY]), [undefined]);
    assert.deepEqual(report.states, ["up"]);
  });

  it("closes a connection that comes after the end", async () => {
    const script = scripted({ ping: () => turn().then(() => "PONG") });
    const { cache, clock } = await cacheOn(script);
    await cache[Symbol.asyncDispose]();
    assert.equal(script.closed, 1);
    assert.equal(clock.pending, 0);
  });
});
