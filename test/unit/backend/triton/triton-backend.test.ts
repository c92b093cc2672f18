import assert from "node:assert/strict";
import { Status } from "nice-grpc-common";
import { type Backend, type InferContext, ModelError } from "../../../../server/backend/backend.js";
import { padded } from "../../../../server/backend/padding.js";
import { tritonBackend } from "../../../../server/backend/triton/triton-backend.js";
import { messageOf, type Reason, ServiceError } from "../../../../server/core/errors.js";
import { FakeClock } from "../../../support/fake-clock.js";
import { until } from "../../../support/held-backend.js";
import { ANYTIME } from "../../../support/model-version.js";
import { turn } from "../../../support/recorder.js";
import {
  echo,
  logitsMessage,
  refuse,
  type ScriptedTriton,
  scriptedTriton,
} from "../../../support/scripted-triton.js";
import { silentListener } from "../../../support/silent-listener.js";
import { someVersion } from "../some-version.js";

const FAST = someVersion();
const ACCURATE = someVersion({ name: "sentiment_accurate", digest: "c".repeat(64) });
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("tritonBackend against scripted servers", function () {
  this.timeout(10_000);
  let clock: FakeClock;
  let servers: ScriptedTriton[];
  let reports: { event: string; url: string; detail: string }[];
  let backend: Backend;

  const start = async (count = 1) => {
    servers = await Promise.all(Array.from({ length: count }, scriptedTriton));
    for (const server of servers)
      server.parameters = {
        sentiment_fast: FAST.parameters,
        sentiment_accurate: ACCURATE.parameters,
      };
    const urls = servers.map(({ url }) => url);
    backend = tritonBackend({ urls }, clock, (event, url, detail) =>
      reports.push({ event, url, detail }),
    );
    return servers as [ScriptedTriton, ScriptedTriton];
  };
  const infer = (context: Partial<InferContext> = {}, model = FAST, id = 7) =>
    backend.infer(model, padded([[id, 1], [id]], 0), { ...ANYTIME, ...context });
  const reasonOf = (reason: Reason) => (error: unknown) =>
    error instanceof ServiceError && error.reason === reason;
  const isDown = reasonOf("BACKEND_DOWN");
  const events = () => reports.map(({ event }) => event);
  /** Batches that a test sent, probes left out. */
  const batchesOf = ({ arrivals }: ScriptedTriton) =>
    arrivals.filter(({ rows }) => rows === 2).length;
  /** Lets probes come until it holds. */
  const probeUntil = async (condition: () => boolean) => {
    for (let left = 100; left > 0 && !condition(); left--) {
      clock.advance(250);
      for (let n = 0; n < 20; n++) await turn();
      await new Promise((next) => setTimeout(next, 5));
    }
    assert.ok(condition(), "not even after 100 probes");
  };

  beforeEach(() => {
    [clock, servers, reports] = [new FakeClock(), [], []];
  });
  afterEach(async () => {
    await backend[Symbol.asyncDispose]();
    for (const server of servers) await server.kill();
    assert.equal(clock.pending, 0, "something goes on after the end");
  });

  it("answers, and says who does", async () => {
    await start();
    await backend.load(FAST);
    const { logits, version } = await infer();
    assert.deepEqual([...logits], [7, 7, 7, 7, 7, 7]);
    assert.equal(version, "1+triton.aaaaaaaa");
    assert.equal(servers[0]?.arrivals.at(-1)?.request.inputs[0]?.shape[1], 2);
  });

  it("passes trace and deadline on, and sends none of its own to who has time", async () => {
    const [server] = await start();
    await backend.load(FAST);
    clock.advance(1000);
    await infer({ traceparent: TRACE, tracestate: "vendor=1", deadlineMs: 1500 });
    const { leftMs = Number.NaN, traceparent, tracestate } = server.arrivals.at(-1) ?? {};
    assert.equal(traceparent, TRACE);
    assert.equal(tracestate, "vendor=1");
    assert.ok(leftMs > 300 && leftMs <= 501, `${leftMs}`);
    await infer();
    const last = server.arrivals.at(-1);
    assert.equal(last?.leftMs, Number.POSITIVE_INFINITY);
    assert.equal(last?.traceparent, undefined);
    assert.equal(last?.tracestate, undefined);
  });

  it("takes a batch back that nobody waits for any more", async () => {
    const [server] = await start();
    await backend.load(FAST);
    const left = new AbortController();
    server.onInfer = () => new Promise(() => {});
    const before = server.arrivals.length;
    const answer = infer({ signal: left.signal });
    await until(() => server.arrivals.length > before);
    left.abort(new Error("they left"));
    await assert.rejects(answer, /they left/);
    await until(() => server.arrivals.at(-1)?.signal.aborted === true);
    assert.equal(backend.isUp(FAST), true);
  });

  it("sends each batch to the server with the fewest under way", async () => {
    const [one, other] = await start(2);
    await backend.load(FAST);
    assert.equal(backend.concurrency, 6);
    const held = Promise.withResolvers<void>();
    for (const server of servers) {
      server.onInfer = async (arrival) => {
        await held.promise;
        return echo(arrival);
      };
    }
    const answers = Array.from({ length: 6 }, () => infer());
    await until(() => batchesOf(one) + batchesOf(other) === 6);
    assert.deepEqual([batchesOf(one), batchesOf(other)], [3, 3]);
    held.resolve();
    await Promise.all(answers);
  });

  it("goes on to the other server where one is gone, and back when it is back", async () => {
    const [one, other] = await start(2);
    await backend.load(FAST);
    await one.kill();
    const answers = await Promise.all(Array.from({ length: 4 }, () => infer()));
    assert.ok(answers.every(({ logits }) => logits[0] === 7));
    assert.equal(batchesOf(other), 4);
    assert.deepEqual(reports.at(-1)?.event, "down");
    assert.equal(reports.at(-1)?.url, one.url);
    assert.deepEqual(backend.status(), [
      {
        backend: "triton",
        up: true,
        servers: [
          { url: one.url, up: false, breaker: "open", underWay: 0 },
          { url: other.url, up: true, breaker: "closed", underWay: 0 },
        ],
      },
    ]);
    await one.restart();
    await probeUntil(() => reports.at(-1)?.event === "up");
    await infer();
    assert.equal(batchesOf(one), 1);
  });

  it("is down at once where the only server is gone, says when to try again, and comes back", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await server.kill();
    await assert.rejects(infer(), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.deepEqual([error.reason, error.hints.retryAfterMs], ["BACKEND_DOWN", 1000]);
      assert.ok(messageOf(error.hints.cause).startsWith(server.url));
      assert.ok(!error.message.includes(server.url));
      return true;
    });
    assert.equal(backend.isUp(FAST), false);
    assert.equal(backend.status()[0]?.up, false);
    await assert.rejects(infer(), isDown);
    await server.restart();
    await probeUntil(() => backend.isUp(FAST));
    assert.equal((await infer()).logits[0], 7);
    assert.deepEqual(events(), ["up", "down", "up"]);
  });

  it("does not admit another model that came back in its place, and says so", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await server.kill();
    await assert.rejects(infer(), isDown);
    // While nobody is there.
    for (let left = 0; left < 5; left++) clock.advance(250);
    server.parameters = { sentiment_fast: { ...FAST.parameters, temperature: "2" } };
    await server.restart();
    await probeUntil(() => server.asked.filter((what) => what.startsWith("config")).length > 5);
    assert.equal(backend.isUp(FAST), false);
    const [, gone, other, ...more] = reports;
    assert.deepEqual([gone?.event, other?.event, more], ["down", "down", []]);
    assert.match(other?.detail ?? "", /has temperature 2, MODEL_REPOSITORY has/);
    server.parameters = { sentiment_fast: FAST.parameters };
    await probeUntil(() => backend.isUp(FAST));
    assert.equal(reports.at(-1)?.event, "up");
  });

  for (const [what, parameters, versions, message] of [
    ["a setting differs", { ...FAST.parameters, max_length: "512" }, ["1"], /max_length 512/],
    ["the version is not there", FAST.parameters, ["2"], /in version 2, MODEL_REPOSITORY has 1/],
    ["the model is not there", undefined, ["1"], /unknown model sentiment_fast/],
  ] as const) {
    it(`is not loaded where ${what}, and names it to the log`, async () => {
      const [server] = await start();
      server.parameters = parameters ? { sentiment_fast: parameters } : {};
      server.versions = [...versions];
      await assert.rejects(backend.load(FAST), (error) => {
        assert.ok(error instanceof ServiceError && error.reason === "BACKEND_DOWN");
        assert.match(messageOf(error.hints.cause), message);
        return true;
      });
      assert.equal(backend.isUp(FAST), false);
      assert.ok(server.asked.includes("load sentiment_fast"), "it was not told to look again");
      await backend.unload(FAST);
    });
  }

  it("asks a server that does not answer nothing more", async () => {
    const [server] = await start();
    server.onAsked = () => new Promise(() => {});
    await assert.rejects(backend.load(FAST), isDown);
    assert.deepEqual(server.asked, ["config sentiment_fast"]);
  });

  it("is loaded where one of several servers has the model, and gets the others in time", async () => {
    const [one, other] = await start(2);
    one.parameters = {};
    await backend.load(FAST);
    for (let n = 0; n < 3; n++) await infer();
    assert.deepEqual([batchesOf(one), batchesOf(other)], [0, 3]);
    one.parameters = { sentiment_fast: FAST.parameters };
    await probeUntil(() => reports.some(({ event, url }) => event === "up" && url === one.url));
    await infer();
    assert.equal(batchesOf(one), 1);
  });

  it("takes no notice of a model that cannot be loaded in what it does for the others", async () => {
    const [server] = await start();
    await backend.load(FAST);
    const wrong = { ...ACCURATE.parameters, temperature: "2" };
    server.parameters = { ...server.parameters, sentiment_accurate: wrong };
    await assert.rejects(backend.load(ACCURATE), isDown);
    for (let n = 0; n < 40; n++) {
      clock.advance(250);
      for (let m = 0; m < 20; m++) await turn();
      assert.equal(backend.isUp(FAST), true, `after ${n} probes`);
    }
    assert.equal(backend.isUp(ACCURATE), false);
    server.parameters = { ...server.parameters, sentiment_accurate: ACCURATE.parameters };
    await probeUntil(() => backend.isUp(ACCURATE));
  });

  it("tells of no fault where several models are loaded at once", async () => {
    await start();
    await Promise.all([backend.load(FAST), backend.load(ACCURATE)]);
    assert.deepEqual(events(), ["up"]);
  });

  it("loads again what the server lost", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await backend.load(ACCURATE);
    server.onInfer = async (arrival) =>
      arrival.request.modelName === "sentiment_fast"
        ? refuse(Status.NOT_FOUND, "Request for unknown model")
        : echo(arrival);
    await assert.rejects(infer(), isDown);
    assert.equal(backend.isUp(FAST), false);
    assert.equal((await infer({}, ACCURATE)).logits[0], 7);
    server.onInfer = async (arrival) => echo(arrival);
    await probeUntil(() => backend.isUp(FAST));
  });

  describe("an error that batch and server may both have made", () => {
    const refuseBatch = async (server: ScriptedTriton, alsoProbes: boolean) => {
      server.onInfer = async (arrival) =>
        arrival.rows === 2 || alsoProbes
          ? refuse(Status.INTERNAL, "indices out of bounds")
          : echo(arrival);
    };

    it("is the batch's where a probe passes", async () => {
      const [server] = await start();
      await backend.load(FAST);
      await refuseBatch(server, false);
      await assert.rejects(infer(), (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(error.message, /indices out of bounds/);
        return true;
      });
      assert.equal(backend.isUp(FAST), true);
    });

    it("is the server's where it does not", async () => {
      const [one, other] = await start(2);
      await backend.load(FAST);
      await refuseBatch(one, true);
      assert.equal((await infer()).logits[0], 7);
      assert.deepEqual([batchesOf(one), batchesOf(other)], [1, 1]);
      assert.equal(reports.at(-1)?.event, "down");
      one.onInfer = async (arrival) => echo(arrival);
      await probeUntil(() => reports.at(-1)?.event === "up");
    });

    it("is found by a malformed answer too", async () => {
      const [server] = await start();
      await backend.load(FAST);
      server.onInfer = async (arrival) =>
        arrival.rows === 2 ? logitsMessage([1, 3], new Uint8Array(12)) : echo(arrival);
      await assert.rejects(infer(), ModelError);
      server.onInfer = async () => logitsMessage([1, 5], new Uint8Array(20));
      await assert.rejects(infer(), isDown);
      assert.equal(backend.isUp(FAST), false);
    });
  });

  it("gives up what is under way at a server that has gone silent, also what has all the time", async () => {
    const [one, other] = await start(2);
    await backend.load(FAST);
    const hang = () => new Promise<never>(() => {});
    [one.onInfer, one.onAsked] = [hang, hang];
    const answers = Array.from({ length: 4 }, () => infer());
    await until(() => batchesOf(one) === 2 && batchesOf(other) === 2);
    clock.advance(500);
    await until(() => one.asked.includes("live"));
    assert.equal(reports.length, 2, "before it was asked");
    clock.advance(1000);
    for (const { logits } of await Promise.all(answers)) assert.equal(logits[0], 7);
    assert.equal(batchesOf(other), 4);
    assert.deepEqual([reports.at(-1)?.event, reports.at(-1)?.url], ["down", one.url]);
    await until(() => one.arrivals.every(({ rows, signal }) => rows === 1 || signal.aborted));
    one.onInfer = async (arrival) => echo(arrival);
    one.onAsked = async () => {};
    await probeUntil(() => reports.at(-1)?.event === "up");
  });

  for (const [what, onAsked] of [
    ["says so", async () => {}],
    ["may not be asked", () => refuse(Status.PERMISSION_DENIED)],
  ] as const) {
    it(`waits for a server that is there, which ${what}`, async () => {
      const [server] = await start();
      await backend.load(FAST);
      const held = Promise.withResolvers<void>();
      server.onInfer = async (arrival) => {
        await held.promise;
        return echo(arrival);
      };
      server.onAsked = onAsked;
      const answer = infer();
      await until(() => batchesOf(server) === 1);
      const lives = () => server.asked.filter((what) => what === "live").length;
      for (let n = 0; n < 20; n++) {
        const before = lives();
        clock.advance(500);
        await until(() => lives() > before);
        for (let m = 0; m < 20; m++) await turn();
      }
      held.resolve();
      assert.equal((await answer).logits[0], 7);
      assert.deepEqual(events(), ["up"]);
    });
  }

  it("connects anew where a connection is never made, nor refused", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await server.kill();
    await using silent = await silentListener(Number(server.url.split(":")[1]));
    const answer = infer();
    await until(() => silent.connections > 0);
    clock.advance(1500);
    await assert.rejects(answer, isDown);
    clock.advance(250);
    await until(() => silent.connections > 1);
    // Those that it has it keeps.
    silent.stop();
    await server.restart();
    for (let passedMs = 0; passedMs < 60_000; passedMs += 250) clock.advance(250);
    await probeUntil(() => backend.isUp(FAST));
  });

  it("gives up on the model that answers nothing for half a minute, and on no other", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await backend.load(ACCURATE);
    server.onInfer = (arrival) =>
      arrival.request.modelName === "sentiment_fast"
        ? new Promise(() => {})
        : Promise.resolve(echo(arrival));
    const answer = infer();
    await until(() => batchesOf(server) === 1);
    for (let waitedMs = 0; waitedMs < 29_500; waitedMs += 500) {
      clock.advance(500);
      assert.equal((await infer({}, ACCURATE)).logits[0], 7);
      assert.equal(backend.isUp(FAST), true, `after ${waitedMs} ms`);
    }
    clock.advance(500);
    await assert.rejects(answer, isDown);
    assert.deepEqual([backend.isUp(FAST), backend.isUp(ACCURATE)], [false, true]);
    server.onInfer = async (arrival) => echo(arrival);
    await probeUntil(() => backend.isUp(FAST));
  });

  it("tries a batch again that met one that has gone of several servers behind the name", async () => {
    const [server] = await start();
    await backend.load(FAST);
    server.onInfer = async (arrival) =>
      arrival.rows === 2 && batchesOf(server) === 1
        ? refuse(Status.UNAVAILABLE, "Connection dropped")
        : echo(arrival);
    assert.equal((await infer()).logits[0], 7);
    assert.deepEqual(events(), ["up"]);
  });

  it("takes UNAVAILABLE for the model's where the server is there, and for the batch's where the model answers", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await backend.load(ACCURATE);
    const refuses = (rows: readonly number[]) => {
      server.onInfer = async (arrival) =>
        arrival.request.modelName === "sentiment_fast" && rows.includes(arrival.rows)
          ? refuse(Status.UNAVAILABLE, "is not at ready state")
          : echo(arrival);
    };
    refuses([2]);
    await assert.rejects(infer(), isDown);
    assert.equal(batchesOf(server), 2, "it was tried again");
    assert.equal(backend.isUp(FAST), true);
    refuses([1, 2]);
    await assert.rejects(infer(), isDown);
    assert.deepEqual([backend.isUp(FAST), backend.isUp(ACCURATE)], [false, true]);
    refuses([]);
    await probeUntil(() => backend.isUp(FAST));
  });

  it("does not doubt a server whose callers had no time", async () => {
    const [one, other] = await start(2);
    await backend.load(FAST);
    one.onInfer = () => new Promise(() => {});
    await assert.rejects(infer({ deadlineMs: clock.now() + 20 }), reasonOf("DEADLINE"));
    await assert.rejects(infer({ deadlineMs: clock.now() - 20 }), reasonOf("DEADLINE"));
    assert.equal(batchesOf(other), 0);
    assert.equal(backend.isUp(FAST), true);
    assert.equal(reports.length, 2);
  });

  it("probes with inferences, but not while callers are answered", async () => {
    const [server] = await start();
    await backend.load(FAST);
    const before = server.arrivals.length;
    clock.advance(1999);
    await infer();
    clock.advance(1);
    for (let n = 0; n < 20; n++) await turn();
    assert.equal(server.arrivals.length, before + 1);
    clock.advance(2000);
    await until(() => server.arrivals.length === before + 2);
    assert.equal(server.arrivals.at(-1)?.rows, 1);
    server.onInfer = () => refuse(Status.INTERNAL, "its process has died");
    await probeUntil(() => !backend.isUp(FAST));
    assert.match(reports.at(-1)?.detail ?? "", /its process has died/);
  });

  it("probes one at a time, however often it goes down and up", async () => {
    const [server] = await start();
    await backend.load(FAST);
    let open = 0;
    let most = 0;
    const held: (() => void)[] = [];
    server.onInfer = async (arrival) => {
      if (arrival.rows === 2) return refuse(Status.NOT_FOUND);
      most = Math.max(most, ++open);
      await new Promise<void>((go) => held.push(go));
      open--;
      return echo(arrival);
    };
    clock.advance(2000);
    await until(() => held.length === 1);
    // It goes down while a probe is under way.
    await assert.rejects(infer(), isDown);
    for (let n = 0; n < 5; n++) {
      clock.advance(250);
      await new Promise((next) => setTimeout(next, 10));
    }
    assert.equal(most, 1);
    server.onInfer = async (arrival) => echo(arrival);
    for (const go of held.splice(0)) go();
    await probeUntil(() => backend.isUp(FAST));
  });

  it("unloads a model in the server when none of its versions is wanted any more", async () => {
    const [server] = await start();
    server.versions = ["1", "2"];
    const second = someVersion({ version: 2, digest: "d".repeat(64) });
    await backend.load(FAST);
    await backend.load(second);
    await backend.unload(FAST);
    assert.ok(!server.asked.includes("unload sentiment_fast"));
    assert.deepEqual([backend.isUp(FAST), backend.isUp(second)], [false, true]);
    await backend.unload(second);
    assert.ok(server.asked.includes("unload sentiment_fast"));
    await assert.rejects(infer(), isDown);
    assert.equal(backend.status()[0]?.up, true);
  });

  it("does not take a model back that was unloaded while a probe was under way", async () => {
    const [server] = await start();
    await backend.load(FAST);
    await backend.load(ACCURATE);
    const fails = new Set(["sentiment_fast"]);
    const held: (() => void)[] = [];
    server.onInfer = async (arrival) => {
      const { modelName } = arrival.request;
      if (arrival.rows === 2 && fails.has(modelName)) return refuse(Status.NOT_FOUND);
      if (arrival.rows === 1) await new Promise<void>((go) => held.push(go));
      return echo(arrival);
    };
    await assert.rejects(infer(), isDown);
    clock.advance(250);
    await until(() => held.length === 1);
    await backend.unload(FAST);
    server.onInfer = async (arrival) => echo(arrival);
    for (const go of held.splice(0)) go();
    await probeUntil(() => reports.at(-1)?.event === "up");
    assert.equal(backend.isUp(FAST), false);
  });

  it("ends a probe that is under way when it is closed", async () => {
    const [server] = await start();
    await backend.load(FAST);
    server.onInfer = () => new Promise(() => {});
    const before = server.arrivals.length;
    clock.advance(2000);
    await until(() => server.arrivals.length > before);
    await backend[Symbol.asyncDispose]();
    await until(() => server.arrivals.at(-1)?.signal.aborted === true);
    assert.equal(clock.pending, 0);
  });
});
