import assert from "node:assert/strict";
import { redisTarget } from "../../../server/cache/redis-url.js";

const plain = {
  kind: "single",
  nodes: [{ host: "cache", port: 6379 }],
  tls: false,
  credentials: {},
  database: 0,
  masterId: "",
};

describe("REDIS_URL", () => {
  it("names one server", () => {
    assert.deepEqual(redisTarget("redis://cache"), { ...plain, shown: "redis://cache" });
    assert.deepEqual(redisTarget("rediss://[::1]:7000/3"), {
      ...plain,
      nodes: [{ host: "::1", port: 7000 }],
      tls: true,
      database: 3,
      shown: "rediss://[::1]:7000/3",
    });
  });

  it("carries a user and a password, which are not shown", () => {
    const { credentials, shown } = redisTarget("redis://me:p%40ss%2Fword@cache:7000/1");
    assert.deepEqual(credentials, { username: "me", password: "p@ss/word" });
    assert.equal(shown, "redis://cache:7000/1");
    assert.deepEqual(redisTarget("redis://:secret@cache").credentials, { password: "secret" });
  });

  it("names nodes of a cluster", () => {
    const cluster = redisTarget("redis://:secret@a:1,b:2,[::1]");
    assert.equal(cluster.kind, "cluster");
    assert.deepEqual(cluster.nodes, [
      { host: "a", port: 1 },
      { host: "b", port: 2 },
      { host: "::1", port: 6379 },
    ]);
    assert.equal(redisTarget("rediss-cluster://a").kind, "cluster");
  });

  it("names Sentinels and what they call the server", () => {
    const sentinel = redisTarget("rediss-sentinel://a,b:5/2?sentinelMasterId=main-1");
    assert.deepEqual(sentinel, {
      ...plain,
      kind: "sentinel",
      nodes: [
        { host: "a", port: 26_379 },
        { host: "b", port: 5 },
      ],
      tls: true,
      database: 2,
      masterId: "main-1",
      shown: "rediss-sentinel://a,b:5/2?sentinelMasterId=main-1",
    });
  });

  for (const url of [
    "cache:6379",
    "http://:secret@cache",
    "redis://:sec@ret@cache",
    "redis://:secret%@cache",
    "redis://:secret@cache:port",
    "redis://:secret@cache:65536",
    "redis://:secret@a,,b",
    "redis://:secret@a,b/1",
    "redis://:secret@cache?sentinelMasterId=main",
    "redis-sentinel://:secret@a,b",
  ]) {
    it(`refuses ${url} and does not repeat it`, () => {
      assert.throws(
        () => redisTarget(url),
        (error: Error) =>
          error.name === "StartupError" &&
          error.message.startsWith("REDIS_URL: ") &&
          !/sec|ret@|cache/.test(error.message.replace("user:password", "")),
      );
    });
  }
});
