import assert from "node:assert/strict";
import { CacheTier, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { manifests, podsOf } from "../support/chart.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { runApp } from "../support/running-app.js";
import { startTriton } from "../support/triton-server.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };

/** The command of a container of the chart. */
async function commandOf(name: string, set: string): Promise<readonly string[]> {
  const pods = podsOf(await manifests("a", ["--set", set]));
  const container = pods.flatMap(({ spec }) => spec.containers).find((one) => one.name === name);
  return container.command ?? container.args;
}

describe("the Redis that the Helm chart runs", function () {
  this.timeout(30_000);

  async function runRedis(set: string): Promise<RedisServer> {
    const [program, ...args] = await commandOf("redis", `redis.enabled=true,${set}`);
    assert.equal(program, "redis-server");
    return startRedis({ args: args.map((text) => text.replace("$(REDISCLI_AUTH)", "secret")) });
  }

  it("keeps nothing on disk, and makes room where it is full", async () => {
    await using redis = await runRedis("networkPolicy.enabled=true,redis.maxMemoryMb=64");
    const told = async (name: string) =>
      (await redis.ask("CONFIG", "GET", name)).split("\r\n").at(-2);
    assert.equal(await told("maxmemory"), String(64 * 2 ** 20));
    assert.equal(await told("maxmemory-policy"), "allkeys-lru");
    assert.deepEqual([await told("save"), await told("appendonly")], ["", "no"]);
  });

  it("asks for its password, and shares answers with who has it", async () => {
    await using redis = await runRedis("redis.auth.password=secret");
    assert.match(await redis.ask("PING"), /NOAUTH/);
    const env = { REDIS_URL: redis.url.replace("//", "//:secret@"), ENABLE_CACHING: "true" };
    assert.equal(await sourceOf(env), CacheTier.CACHE_TIER_NONE);
    // Nobody waits for the write.
    while ((await sourceOf(env)) !== CacheTier.CACHE_TIER_REDIS);
  });
});

/** Where a server that has just started has its answer from. */
async function sourceOf(env: Readonly<Record<string, string>>): Promise<CacheTier | undefined> {
  await using server = await runApp(env);
  return (await server.client.analyze(REQUEST)).sentiment?.cache;
}

describe("the Triton that the Helm chart runs", function () {
  this.timeout(60_000);

  it("takes its arguments, and tells how long requests wait", async () => {
    const [program, ...args] = await commandOf("triton", "triton.enabled=true");
    assert.equal(program, "tritonserver");
    // But for the folder it is started with these here as well.
    const own = ["--model-repository=/models", "--model-control-mode=explicit", "--load-model=*"];
    assert.deepEqual(args.slice(0, own.length), own);
    await using server = await startTriton({ args: args.slice(own.length) });
    await using app = await runApp({ BACKEND: "triton", TRITON_URL: server.url });
    assert.ok((await app.client.analyze(REQUEST)).sentiment);
    const metrics = await (await fetch(`http://127.0.0.1:${server.ports.metrics}/metrics`)).text();
    for (const name of ["nv_inference_queue_duration_us", "nv_inference_request_success"])
      assert.match(metrics, new RegExp(`^${name}\\{.*model="sentiment_fast".*\\} [1-9]`, "m"));
  });
});
