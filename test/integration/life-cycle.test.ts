import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect } from "node:http2";
import type { Socket } from "node:net";
import { ClientError, createChannel, createClient } from "nice-grpc";
import { Status } from "nice-grpc-common";
import { HealthDefinition } from "nice-grpc-server-health";
import { SentimentServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { REFLECTIONS } from "../../server/rpc/reflection.js";
import { heldBackend, until } from "../support/held-backend.js";
import { reflected } from "../support/reflected.js";
import { runApp } from "../support/running-app.js";
import { scrape } from "../support/scrape.js";
import { failureOf } from "../support/status-details.js";

const SERVING = 1;
const NOT_SERVING = 2;
const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => Status.OK,
    (error: unknown) => (error instanceof ClientError ? error.code : assert.fail(String(error))),
  );

describe("life cycle", function () {
  this.timeout(20_000);

  it("health answers for the server, its services and its models", async () => {
    await using running = await runApp();
    const health = createClient(HealthDefinition, running.channel);
    for (const service of [
      "",
      "sentiment.v1.SentimentService",
      "sentiment_fast",
      "sentiment_balanced",
      "sentiment_accurate",
      "liveness",
    ]) {
      assert.equal((await health.check({ service })).status, SERVING, service);
    }
    assert.equal(await codeOf(health.check({ service: "unknown" })), Status.NOT_FOUND);
  });

  it("health says that it lives where it has no backend", async () => {
    await using running = await runApp({ BACKEND: "triton", TRITON_URL: "127.0.0.1:1" });
    const health = createClient(HealthDefinition, running.channel);
    assert.equal((await health.check({ service: "" })).status, NOT_SERVING);
    assert.equal((await health.check({ service: "liveness" })).status, SERVING);
  });

  for (const name of REFLECTIONS)
    it(`${name} lists the services and gives their descriptors, and those of error details`, async () => {
      await using running = await runApp();
      const replies = await reflected(name, running.channel, [
        "sentiment.v1.SentimentService",
        "grpc.health.v1.Health",
        // What an error of any call carries, so that a tool can show it.
        "google.rpc.ErrorInfo",
      ]);
      assert.ok(replies.includes("sentiment.v1.SentimentService"));
      for (const file of [
        "sentiment/v1/sentiment.proto",
        "grpc/health/v1/health.proto",
        "google/rpc/error_details.proto",
      ])
        assert.ok(
          replies.some((reply) => reply.includes(file)),
          file,
        );
    });

  it("a drain serves on until balancers have noticed, then finishes what is under way and ends health watches", async () => {
    const backend = heldBackend();
    const running = await runApp({}, { backend: () => backend, probeMs: 1000 });
    const watched: number[] = [];
    const health = createClient(HealthDefinition, running.channel);
    const watching = (async () => {
      for await (const { status } of health.watch({ service: "" })) watched.push(status);
    })();
    const underWay = running.client.analyze(REQUEST);
    await until(() => backend.waiting === 1 && watched.length === 1);

    const stopped = running.app[Symbol.asyncDispose]();
    await until(() => watched.length === 2);
    assert.deepEqual(watched, [SERVING, NOT_SERVING]);
    // Whoever kills what does not live must let it drain.
    assert.equal((await health.check({ service: "liveness" })).status, SERVING);
    const late = running.client.analyze({ ...REQUEST, text: "late" });
    assert.equal(await codeOf(watching), Status.UNAVAILABLE);
    // Nobody listens any more, but what has come is answered.
    assert.equal(await codeOf(running.client.analyze(REQUEST)), Status.UNAVAILABLE);
    backend.release();
    assert.ok((await underWay).sentiment && (await late).sentiment);
    await stopped;
    running.channel.close();
  });

  it("a drain loses no call of clients that go elsewhere", async () => {
    const [one, other] = [await runApp(), await runApp()];
    let stopped: PromiseLike<void> | undefined;
    const answered = [0, 0, 0];
    const callers = [one, one, other].map(async ({ app }, caller) => {
      // Addresses of both: a client that is asked to leave takes the other.
      const addresses = [app.address, other.app.address].join(",");
      const channel = createChannel(`ipv4:${addresses}`, undefined, {
        "grpc.use_local_subchannel_pool": 1,
      });
      const client = createClient(SentimentServiceDefinition, channel);
      for (let calls = 0, after = 0; after < 50; calls++) {
        await client.analyze({ ...REQUEST, text: `day ${calls}` });
        answered[caller] = calls + 1;
        if (stopped !== undefined) after++;
      }
      channel.close();
    });
    // Each is in the midst of its calls.
    await until(() => answered.every((calls) => calls >= 5));
    stopped = one.app[Symbol.asyncDispose]();
    await Promise.all(callers);
    assert.ok(
      answered.every((calls) => calls > 50),
      answered.join(),
    );
    await stopped;
    one.channel.close();
    await other[Symbol.asyncDispose]();
  });

  it("a drain answers what a stream has sent, and ends it", async () => {
    const backend = heldBackend();
    const running = await runApp({}, { backend: () => backend });
    const ended = Promise.withResolvers<void>();
    async function* requests() {
      yield { id: "sent", ...REQUEST };
      await ended.promise;
    }
    const answers: string[] = [];
    const streaming = (async () => {
      for await (const { id, sentiment } of running.client.analyzeStream(requests()))
        if (sentiment) answers.push(id);
    })();
    await until(() => backend.waiting === 1);
    const stopped = running.app[Symbol.asyncDispose]();
    backend.release();
    assert.equal(await codeOf(streaming), Status.UNAVAILABLE);
    assert.deepEqual(answers, ["sent"]);
    await stopped;
    ended.resolve();
    running.channel.close();
  });

  it("a drain answers all of a stream that has as many texts under way as it may", async () => {
    const backend = heldBackend();
    const running = await runApp({}, { backend: () => backend });
    const ended = Promise.withResolvers<void>();
    async function* requests() {
      for (let id = 0; id < 128; id++) yield { id: String(id), ...REQUEST };
      await ended.promise;
    }
    const answers = new Set<string>();
    const streaming = (async () => {
      for await (const { id, sentiment } of running.client.analyzeStream(requests()))
        if (sentiment) answers.add(id);
    })();
    await until(() => backend.waiting === 1);
    // Until the server has read them all, and waits for room before it reads on.
    const queued = 'sentiment_queue_rows{model="sentiment_fast"}';
    while ((await scrape(running.app.opsAddress ?? "")).get(queued) !== 127);
    const stopped = running.app[Symbol.asyncDispose]();
    backend.release();
    assert.equal(await codeOf(streaming), Status.UNAVAILABLE);
    assert.equal(answers.size, 128);
    await stopped;
    ended.resolve();
    running.channel.close();
  });

  it("a drain cuts off a connection that does not end by itself", async () => {
    const running = await runApp({ REQUEST_TIMEOUT: "1" });
    const session = connect(`http://${running.app.address}`);
    // A call that is begun and then says nothing: its handler never starts, and its stream never ends.
    const silent = session.request({
      ":method": "POST",
      ":path": "/sentiment.v1.SentimentService/Analyze",
      "content-type": "application/grpc",
      te: "trailers",
    });
    silent.on("error", () => {});
    session.on("error", () => {});
    await once(session, "remoteSettings");
    const closed = once(session, "close");
    await running.app[Symbol.asyncDispose]();
    await closed;
    running.channel.close();
  });

  it("connections that have aged are replaced under load, and no call is lost", async () => {
    await using running = await runApp({ MAX_CONNECTION_AGE: "1", ENABLE_CACHING: "true" });
    let connections = 0;
    const notice = (message: unknown) => {
      const { socket } = message as { socket: Socket };
      if (running.app.address.endsWith(`:${socket.localPort}`)) connections++;
    };
    subscribe("net.server.socket", notice);
    const endMs = performance.now() + 3500;
    const callers = Array.from({ length: 16 }, async (_, caller) => {
      let calls = 0;
      // Every other one waits for the model.
      for (; performance.now() < endMs; calls++)
        await running.client.analyze({
          ...REQUEST,
          text: `day ${calls % 2 ? calls : 0} ${caller}`,
        });
      return calls;
    });
    const counts = await Promise.all(callers);
    unsubscribe("net.server.socket", notice);
    assert.ok(Math.min(...counts) > 10, `${counts}`);
    // The first, and one after each second or so.
    assert.ok(connections >= 3, `${connections} connections`);
  });

  it("a call that takes longer than REQUEST_TIMEOUT is DEADLINE_EXCEEDED", async () => {
    const backend = heldBackend();
    await using running = await runApp({ REQUEST_TIMEOUT: "1" }, { backend: () => backend });
    const failure = await failureOf((call) => running.client.analyze(REQUEST, call));
    assert.equal(failure.code, Status.DEADLINE_EXCEEDED);
    assert.equal(failure.reason, "DEADLINE");
    backend.release();
  });

  it("a caller that leaves is not waited for, and its neighbours are answered", async () => {
    const backend = heldBackend();
    await using running = await runApp({}, { backend: () => backend });
    const first = running.client.analyze(REQUEST);
    await until(() => backend.waiting === 1);
    const leaving = new AbortController();
    const left = running.client.analyze(REQUEST, { signal: leaving.signal });
    const staying = running.client.analyze(REQUEST);
    // The call and the leaving are messages of their own: each must have reached the server.
    await new Promise((next) => setTimeout(next, 100));
    leaving.abort();
    await assert.rejects(left, { name: "AbortError" });
    await new Promise((next) => setTimeout(next, 100));
    backend.release();
    assert.ok((await first).sentiment && (await staying).sentiment);
    assert.equal(backend.rows, 2, "the row of the caller that left was run");
  });

  it("a client that leaves a stream is no bug of ours", async () => {
    const backend = heldBackend();
    await using running = await runApp({}, { backend: () => backend });
    async function* requests() {
      for (let id = 0; ; id++) yield { id: String(id), ...REQUEST };
    }
    const leaving = new AbortController();
    const stream = running.client.analyzeStream(requests(), { signal: leaving.signal });
    const answers = stream[Symbol.asyncIterator]();
    const first = answers.next();
    await until(() => backend.waiting === 1);
    leaving.abort();
    await assert.rejects(first, { name: "AbortError" });
    await new Promise((next) => setTimeout(next, 100));
    backend.release();
    assert.ok((await running.client.analyze(REQUEST)).sentiment);
    assert.deepEqual(
      running.log.filter(({ level }) => level === "error"),
      [],
    );
  });

  it("an unexpected error is INTERNAL with an id that the log has too, and no word of its cause", async () => {
    const backend = heldBackend();
    const broken = {
      ...backend,
      infer: async () => {
        throw new Error("secret cause");
      },
    };
    await using running = await runApp({}, { backend: () => broken });
    const failure = await failureOf((call) => running.client.analyze(REQUEST, call));
    assert.equal(failure.code, Status.INTERNAL);
    assert.equal(failure.reason, "BUG");
    assert.doesNotMatch(failure.message, /secret/);
    const line = running.log.find(
      ({ id }) => typeof id === "string" && failure.message.includes(id),
    );
    assert.match(JSON.stringify(line), /secret cause/);
    assert.doesNotMatch(JSON.stringify(running.log), /"fine"/);
  });

  it("loads models at first use with PREFETCH_MODELS=false", async () => {
    await using running = await runApp({ PREFETCH_MODELS: "false" });
    const readyModels = async () =>
      (await running.client.listModels({})).models
        .filter(({ ready }) => ready)
        .map(({ name }) => name);
    assert.deepEqual(await readyModels(), []);
    await Promise.all([running.client.analyze(REQUEST), running.client.analyze(REQUEST)]);
    assert.deepEqual(await readyModels(), ["sentiment_fast"]);
  });

  it("a model that cannot be loaded at first use is BACKEND_DOWN, and the log has its cause", async () => {
    const backend = heldBackend();
    const broken = { ...backend, load: () => Promise.reject(new Error("the file is gone")) };
    const env = { PREFETCH_MODELS: "false" };
    await using running = await runApp(env, { backend: () => broken });
    const failure = await failureOf((call) => running.client.analyze(REQUEST, call));
    assert.equal(failure.code, Status.UNAVAILABLE);
    assert.equal(failure.reason, "BACKEND_DOWN");
    assert.ok((failure.retryAfterSeconds ?? 0) > 0);
    assert.match(JSON.stringify(running.log), /the file is gone/);
  });

  it("a call does not wait for a model longer than REQUEST_TIMEOUT", async () => {
    const backend = heldBackend();
    const slow = { ...backend, load: () => new Promise<void>(() => {}) };
    const env = { PREFETCH_MODELS: "false", REQUEST_TIMEOUT: "1" };
    await using running = await runApp(env, { backend: () => slow });
    const failure = await failureOf((call) => running.client.analyze(REQUEST, call));
    assert.equal(failure.reason, "DEADLINE");
  });

  it("answers each text alone with ASYNC_PROCESSING=false", async () => {
    await using running = await runApp({ ASYNC_PROCESSING: "false" });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => running.client.analyze(REQUEST)),
    );
    assert.ok(answers.every(({ timing }) => timing?.batchSize === 1));
  });

  it("two servers in one process do not disturb each other", async () => {
    await using one = await runApp();
    {
      await using two = await runApp();
      assert.ok((await two.client.analyze(REQUEST)).sentiment);
    }
    const channel = createChannel(one.app.address);
    const client = createClient(SentimentServiceDefinition, channel);
    assert.ok((await client.analyze(REQUEST)).sentiment);
    channel.close();
  });
});
