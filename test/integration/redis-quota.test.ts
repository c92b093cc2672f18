import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { redisQuota } from "../../server/cache/redis-quota.js";
import { systemClock } from "../../server/core/clock.js";
import type { SharedQuota } from "../../server/core/shared-quota.js";
import { GARBAGE } from "../support/garbage.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { startSlowProxy } from "../support/slow-proxy.js";

const PREFIX = "sap:quota:v1:";
const BACK_MS = 5000;

const spent = (tokens: number, holder = "team", tokensPerMinute = 600) => [
  { holder, tokensPerMinute, tokens },
];
/** Between two levels lies what has flowed in since. */
const isAbout = (level: number | undefined, expected: number) =>
  assert.ok(level !== undefined && level >= expected && level < expected + 50, `${level}`);

async function untilShared(quota: SharedQuota): Promise<void> {
  const startedMs = performance.now();
  while (
    !(await quota.take(spent(0, "other")).then(
      ([level]) => level !== undefined,
      () => false,
    ))
  ) {
    assert.ok(performance.now() < startedMs + BACK_MS, "not back");
    await sleep(20);
  }
}

// Mocha fails a test for each error that nobody handles.
describe("quotas in a real Redis", function () {
  this.timeout(20_000);
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.kill());
  beforeEach(() => redis.ask("FLUSHALL"));
  const keyOf = async () => /sap:quota:v1:[\w-]+/.exec(await redis.ask("KEYS", "*"))?.[0] ?? "";

  it("are one for all who have the same URL, down into debt", async () => {
    await using one = redisQuota(redis.url, systemClock);
    await using other = redisQuota(redis.url, systemClock);
    isAbout((await one.take(spent(100)))[0], 500);
    isAbout((await other.take(spent(450)))[0], 50);
    isAbout((await one.take(spent(450)))[0], -400);
    const levels = await one.take([...spent(1, "a"), ...spent(2, "b"), ...spent(0)]);
    isAbout(levels[0], 599);
    isAbout(levels[1], 598);
    isAbout(levels[2], -400);
    isAbout((await other.take(spent(1e9)))[0], -6000);
  });

  it("refill by the time of Redis, and are forgotten when they would be full", async () => {
    await using quota = redisQuota(redis.url, systemClock);
    await quota.take(spent(60_000, "team", 60_000));
    await sleep(50);
    const [level = 0] = await quota.take(spent(0, "team", 60_000));
    assert.ok(level >= 50 && level < 10_000, `${level} after 50 ms`);
    const leftMs = Number((await redis.ask("PTTL", await keyOf())).slice(1));
    assert.ok(leftMs > 50_000 && leftMs < 60_000, `${leftMs}`);
    await quota.take(spent(1, "gone", 60_000));
    await sleep(20);
    assert.match(await redis.ask("KEYS", "*"), /^\*1\r/);
  });

  it("are full where there is anything but a quota, and mend it", async () => {
    await using quota = redisQuota(redis.url, systemClock);
    await quota.take(spent(100));
    const key = await keyOf();
    const now = Date.now();
    for (const value of [
      "",
      "nonsense",
      "12",
      `nan ${now}`,
      `inf ${now}`,
      `1e99 ${now}`,
      `500 ${now} more`,
      `0x10 ${now}`,
      `${"9".repeat(400)} ${now}`,
      "\0\0\0",
    ]) {
      await redis.ask("SET", key, value);
      isAbout((await quota.take(spent(100)))[0], 500);
    }
    for (const command of [
      ["LPUSH", key, "a"],
      ["HSET", key, "a", "b"],
    ]) {
      await redis.ask("DEL", key);
      await redis.ask(...command);
      isAbout((await quota.take(spent(100)))[0], 500);
      assert.match(await redis.ask("TYPE", key), /string/);
    }
    await redis.ask("SET", key, `-${"9".repeat(400)} ${now}`);
    isAbout((await quota.take(spent(0)))[0], -6000);
    // Of a Redis whose clock was ahead.
    await redis.ask("SET", key, `100 ${now + 3_600_000}`);
    isAbout((await quota.take(spent(0)))[0], 100);
    await sleep(200);
    const [level = 0] = await quota.take(spent(0));
    assert.ok(level > 101, `${level}: it stands still`);
  });

  it("stay when the answers are cleared, and the script is sent anew when Redis has forgotten it", async () => {
    await using quota = redisQuota(redis.url, systemClock);
    await quota.take(spent(100));
    assert.ok((await keyOf()).startsWith(PREFIX));
    await redis.ask("SCRIPT", "FLUSH");
    isAbout((await quota.take(spent(100)))[0], 400);
  });

  it("say what right is missing", async () => {
    const user = ["--user", "me", "on", ">secret", "~sap:*", "+ping", "+get", "+set"];
    await using strict = await startRedis({ args: user });
    await using quota = redisQuota(`redis://me:secret@127.0.0.1:${strict.port}`, systemClock);
    await assert.rejects(quota.take(spent(1)), /NOPERM/);
  });

  it("are of no use while Redis is killed, and again when it is back", async () => {
    let killed = await startRedis();
    await using quota = redisQuota(killed.url, systemClock);
    await quota.take(spent(600));
    await killed.kill();
    await assert.rejects(quota.take(spent(1)));
    killed = await startRedis({ port: killed.port });
    await using _ = killed;
    await untilShared(quota);
    isAbout((await quota.take(spent(100)))[0], 500);
  });

  for (const [name, garble] of GARBAGE) {
    it(`are no number that is none, and of use again: ${name}`, async () => {
      await using proxy = await startSlowProxy(redis.port);
      await using quota = redisQuota(`redis://127.0.0.1:${proxy.port}`, systemClock);
      await untilShared(quota);
      proxy.garble(garble());
      for (let round = 0; round < 30; round++) {
        const levels = await quota.take([...spent(1), ...spent(1, "b")]).catch(() => []);
        for (const level of levels)
          assert.ok(level === undefined || (level > -6001 && level <= 600), `${level}`);
        await sleep(5);
      }
      proxy.garble(undefined);
      await untilShared(quota);
    });
  }
});
