import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { Cache } from "../../server/cache/cache.js";
import { redisCache } from "../../server/cache/redis.js";
import { redisQuota } from "../../server/cache/redis-quota.js";
import { systemClock } from "../../server/core/clock.js";
import { bytesCodec, notedReport } from "../support/cache-doubles.js";
import { freePorts } from "../support/ports.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

const VALUE = Uint8Array.of(0, 200, 10, 13);
const POLL_MS = 20;
const WAIT_MS = 8000;

function openCache(url: string) {
  const report = notedReport();
  const cache = redisCache({ url, ttlMs: 60_000 }, bytesCodec, systemClock, report);
  return { cache, report };
}

async function waitFor(condition: () => boolean | Promise<boolean>) {
  const deadlineMs = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`not after ${WAIT_MS} ms: ${condition}`);
    await sleep(POLL_MS);
  }
}

/** Writes so many values and reads them in one batch, until all of them are hits. */
async function works(cache: Cache<Uint8Array>, count: number) {
  const keys = Array.from({ length: count }, (_, index) => ({ space: "s", hash: `h${index}` }));
  await waitFor(async () => {
    cache.set(keys.map((key) => [key, VALUE] as const));
    await sleep(POLL_MS);
    const hits = await cache.get(keys);
    return hits.every((hit) => hit !== undefined && Buffer.from(VALUE).equals(hit.value));
  });
}

describe("the Redis cache with other kinds of Redis", function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "redis-kinds-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("speaks TLS, logs in and chooses a database", async () => {
    const [cert, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", keyFile, "-out", cert];
    execFileSync("openssl", ["req", "-x509", ...made, "-days", "1", ...names], { stdio: "pipe" });
    const [tlsPort = 0] = await freePorts(1);
    const tls = ["--tls-port", String(tlsPort), "--tls-cert-file", cert, "--tls-key-file", keyFile];
    const user = [
      "--user",
      "me",
      "on",
      ">p@ss:word",
      "~sap:*",
      "+mget",
      "+set",
      "+ping",
      "+select",
    ];
    await using redis = await startRedis({ args: [...tls, "--tls-auth-clients", "no", ...user] });
    const url = `rediss://me:p%40ss%3Aword@127.0.0.1:${tlsPort}/3`;

    const { cache: strict, report: refused } = openCache(url);
    await using _ = strict;
    await waitFor(() => refused.states.length > 0);
    assert.deepEqual(refused.states, ["down"]);

    const before = getCACertificates();
    setDefaultCACertificates([await readFile(cert, "utf8")]);
    try {
      const { cache } = openCache(url);
      await using __ = cache;
      await works(cache, 3);
      assert.match(await redis.ask("INFO", "keyspace"), /db3:keys=3/);
    } finally {
      setDefaultCACertificates(before);
    }
  });

  it("says that the log-in failed, and not with what", async () => {
    await using redis = await startRedis({ args: ["--requirepass", "right"] });
    const why: string[] = [];
    const report = {
      ...notedReport(),
      turned: (state: string, reason: string) => why.push(`${state}: ${reason}`),
    };
    const url = `redis://:wrong-secret@127.0.0.1:${redis.port}`;
    await using _ = redisCache({ url, ttlMs: 1 }, bytesCodec, systemClock, report);
    await waitFor(() => why.length > 0);
    assert.match(why[0] ?? "", /^down: WRONGPASS/);
    assert.doesNotMatch(why.join(), /secret/);
  });

  it("uses all nodes of a cluster, and clears them", async () => {
    const [one, other] = await Promise.all([clusterNode(folder, 1), clusterNode(folder, 2)]);
    await using _ = one.redis;
    await using __ = other.redis;
    await one.redis.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
    await other.redis.ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
    await one.redis.ask("CLUSTER", "MEET", "127.0.0.1", String(other.redis.port), other.bus);
    for (const { redis } of [one, other])
      await waitFor(async () => /cluster_state:ok/.test(await redis.ask("CLUSTER", "INFO")));

    const url = `redis://127.0.0.1:${one.redis.port},127.0.0.1:${other.redis.port}`;
    const { cache, report } = openCache(url);
    await using ___ = cache;
    await works(cache, 100);
    for (const { redis } of [one, other]) assert.match(await redis.ask("DBSIZE"), /^:[3-6]\d\r/);
    assert.equal(await cache.clear("s"), 100);

    await using quota = redisQuota(url, systemClock);
    const holders = Array.from({ length: 50 }, (_, number) => `holder ${number}`);
    const spent = holders.map((holder) => ({ holder, tokensPerMinute: 1000, tokens: 400 }));
    await quota.take(spent);
    for (const level of await quota.take(spent)) assert.equal(Math.round((level ?? 0) / 100), 2);
    for (const { redis } of [one, other]) assert.match(await redis.ask("DBSIZE"), /^:[12345]\d\r/);

    await other.redis.kill();
    await waitFor(() => report.states.at(-1) === "down");
  });

  it("follows the Sentinels to the server that takes over", async () => {
    await using first = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
    await using second = await startRedis({
      args: ["--replicaof", "127.0.0.1", String(first.port)],
    });
    await waitFor(async () => /:up/.test(await second.ask("INFO", "replication")));
    const config = join(folder, "sentinel.conf");
    await writeFile(
      config,
      `sentinel monitor main 127.0.0.1 ${first.port} 1\nsentinel down-after-milliseconds main 300\n`,
    );
    await using sentinel = await startRedis({ args: [config, "--sentinel"] });
    const [nobody = 0] = await freePorts(1);
    const url = `redis-sentinel://127.0.0.1:${nobody},127.0.0.1:${sentinel.port}?sentinelMasterId=main`;

    const { cache, report } = openCache(url);
    await using _ = cache;
    await works(cache, 3);
    await waitFor(async () =>
      /num-slaves\r\n\$1\r\n1/.test(await sentinel.ask("SENTINEL", "MASTER", "main")),
    );
    await first.kill();
    await waitFor(() => report.states.at(-1) === "down");
    await works(cache, 3);
    assert.match(await second.ask("DBSIZE"), /^:3\r/);
  });
});

/** A node that has no slots yet, and its port for the other nodes. */
async function clusterNode(
  folder: string,
  number: number,
): Promise<{ redis: RedisServer; bus: string }> {
  const [bus] = (await freePorts(1)).map(String);
  const file = join(folder, `nodes-${number}.conf`);
  const cluster = ["--cluster-enabled", "yes", "--cluster-config-file", file];
  const redis = await startRedis({ args: [...cluster, "--cluster-port", bus ?? ""] });
  return { redis, bus: bus ?? "" };
}
