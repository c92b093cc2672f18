import assert from "node:assert/strict";
import type { RedisConnection } from "../../../server/cache/redis-connection.js";
import { redisQuota } from "../../../server/cache/redis-quota.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

const SPENT = [{ holder: "team", tokensPerMinute: 600, tokens: 10 }];
const never = () => new Promise<never>(() => {});

describe("quotas in Redis", () => {
  let clock: FakeClock;
  let connects: number;
  let run: RedisConnection["run"];
  let ping: RedisConnection["ping"];
  beforeEach(() => {
    [clock, connects] = [new FakeClock(), 0];
    run = async (_script, key) => [key, "590.000"];
    ping = async () => "PONG";
  });
  const opened = () =>
    redisQuota("", clock, async () => {
      connects++;
      const connection: Partial<RedisConnection> = {
        run: (script, key, args) => run(script, key, args),
        ping: () => ping(),
        close: () => {},
      };
      return connection as RedisConnection;
    });

  it("connects when it is first needed, and waits for that", async () => {
    await using quota = opened();
    await turn();
    assert.equal(connects, 0);
    assert.deepEqual(await quota.take(SPENT), [590]);
    assert.deepEqual(await quota.take(SPENT), [590]);
    assert.equal(connects, 1);
  });

  it("asks by the hash of the holder alone, with his quota and what he has spent", async () => {
    const asked: (readonly string[])[] = [];
    run = async (_script, key, args) => {
      asked.push([key, ...args]);
      return [key, "-12.345"];
    };
    await using quota = opened();
    const spent = { holder: "a{b}:*\n", tokensPerMinute: 1e12, tokens: 0.1 + 0.2 };
    assert.deepEqual(await quota.take([spent]), [-12.345]);
    const [[key = "", ...args] = []] = asked;
    assert.match(key, /^sap:quota:v1:[\w-]{43}$/);
    assert.deepEqual(args, ["1000000000000", "0.300"]);
  });

  for (const [what, answer] of [
    ["nothing", undefined],
    ["null", null],
    ["a number", 590],
    ["text", "590.000"],
    ["an empty list", []],
    ["somebody else's", ["sap:quota:v1:other", "590.000"]],
    ["no number", [undefined, "many"]],
    ["infinity", [undefined, "inf"]],
    ["not a number", [undefined, "nan"]],
    ["a list in it", [undefined, ["590.000"], "x"]],
    ["bytes", [undefined, Buffer.from("\xff\xfe", "latin1")]],
    ["a number without an end", [undefined, `${"9".repeat(400)}.000`]],
  ] as const)
    it(`takes ${what} for no answer`, async () => {
      run = async (_script, key) =>
        Array.isArray(answer) && answer[0] === undefined && answer.length > 0
          ? [key, ...answer.slice(1)]
          : answer;
      await using quota = opened();
      assert.deepEqual(await quota.take(SPENT), [undefined]);
    });

  it("gives Redis up that does not answer within 200 ms, and after five such asks nothing", async () => {
    run = never;
    await using quota = opened();
    for (let round = 0; round < 5; round++) {
      const asked = assert.rejects(quota.take(SPENT), /no answer within 200 ms/);
      for (let hop = 0; hop < 3; hop++) await turn();
      clock.advance(200);
      await asked;
    }
    await assert.rejects(quota.take(SPENT), /Redis is down/);
    run = async (_script, key) => [key, "1.000"];
    clock.advance(1100);
    for (let hop = 0; hop < 3; hop++) await turn();
    assert.deepEqual(await quota.take(SPENT), [1]);
    assert.equal(connects, 2);
  });

  it("says that Redis is down where no connection comes about", async () => {
    ping = () => Promise.reject(new Error("refused"));
    await using quota = opened();
    await assert.rejects(quota.take(SPENT), /Redis is down/);
    ping = never;
    await using other = opened();
    const asked = assert.rejects(other.take(SPENT), /Redis is down/);
    await turn();
    clock.advance(200);
    await asked;
    ping = async () => "PONG";
    clock.advance(1000);
  });

  it("passes on what Redis says", async () => {
    run = () => Promise.reject(new Error("NOPERM no right"));
    await using quota = opened();
    await assert.rejects(quota.take(SPENT), /NOPERM/);
  });
});
