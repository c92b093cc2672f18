import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata as GrpcMetadata } from "@grpc/grpc-js";
import { AbortError } from "abort-controller-x";
import {
  type CallContext,
  type Channel,
  createChannel,
  createClient,
  createServer,
  Metadata,
  type Server,
  ServerError,
  Status,
} from "nice-grpc";
import type { Call } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import {
  AnalyzeRequest,
  AnalyzeResponse,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { aroundCalls, type Ended } from "../../../server/rpc/around-calls.js";
import { type Arrival, carried } from "../../../server/rpc/arrival.js";
import type { CallExt } from "../../../server/rpc/call-context.js";
import {
  type Caller,
  createEntrance,
  type Decision,
  refused,
} from "../../../server/rpc/entrance.js";
import type { Holder } from "../../../server/rpc/keys/keys.js";
import { watchCalls } from "../../../server/rpc/watched-call.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { NO_EVENTS } from "../../support/no-events.js";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const REQUEST = { text: "", tier: Tier.TIER_UNSPECIFIED, options: undefined };

describe("aroundCalls", () => {
  let clock: FakeClock;
  let seen: Call[];
  let ended: Parameters<Ended>[];
  let server: Server<CallExt>;
  let address: string;
  let channel: Channel;
  let client: SentimentServiceClient;
  const parts = () => ({
    clock,
    reportBug: () => {},
    tracer: undefined,
    events: NO_EVENTS,
    ended: (...call: Parameters<Ended>) => ended.push(call),
  });
  const around = () => aroundCalls(parts());
  const endedAs = () =>
    ended.map(([{ method }, , code, , answers]) => [method.path, code, answers]);
  const note = ({ call }: CallExt) => seen.push(call);

  beforeEach(async () => {
    [clock, seen, ended] = [new FakeClock(), [], []];
    clock.advance(10_000);
    const limits = { requestMs: 30_000, idleMs: undefined, maxStreams: 10 };
    const watch = watchCalls(limits, createEntrance(new Map()), clock, () => {});
    server = createServer({ interceptors: [watch] }).use(around());
    const analyze = async (_: unknown, context: CallExt) => {
      note(context);
      await sleep(1);
      return { sentiment: undefined, timing: undefined };
    };
    server.add(SentimentServiceDefinition, {
      analyze,
      analyzeBatch: (_, context) => {
        note(context);
        return Promise.reject(new ServerError(Status.INTERNAL, "broken"));
      },
      async *analyzeStream(requests, context) {
        note(context);
        for await (const { id } of requests) yield { id };
      },
      listModels: async () => ({ models: [] }),
    });
    address = `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
    channel = createChannel(address);
    client = createClient(SentimentServiceDefinition, channel);
  });
  afterEach(async () => {
    channel.close();
    await server.shutdown();
  });

  /** By grpc-js: nice-grpc's client knows no deadline. */
  const analyzeWithin = (ms: number, metadata = new GrpcMetadata()) => {
    const plain = new Client(address, credentials.createInsecure());
    return new Promise<void>((resolve, reject) =>
      plain.makeUnaryRequest(
        "/sentiment.v1.SentimentService/Analyze",
        (request: AnalyzeRequest) => Buffer.from(AnalyzeRequest.encode(request).finish()),
        (bytes) => AnalyzeResponse.decode(bytes),
        REQUEST,
        metadata,
        { deadline: Date.now() + ms },
        (error) => (error ? reject(error) : resolve()),
      ),
    ).finally(() => plain.close());
  };
  const leftMs = (call: Call | undefined) => (call?.deadlineMs ?? Number.NaN) - clock.now();

  it("has the client's deadline, on the server's clock", async () => {
    await analyzeWithin(5000);
    assert.equal(seen.length, 1);
    assert.ok(leftMs(seen[0]) > 3000 && leftMs(seen[0]) <= 5001, `${leftMs(seen[0])}`);
  });

  it("is bulk where it has many texts: a list, or a stream", async () => {
    await client.analyze(REQUEST);
    await assert.rejects(client.analyzeBatch({ ...REQUEST, texts: [""] }), /broken/);
    for await (const _ of client.analyzeStream((async function* () {})()));
    assert.deepEqual(
      seen.map(({ origin }) => origin.isBulk),
      [false, true, true],
    );
  });

  it("has none where the client sent none", async () => {
    await client.analyze(REQUEST);
    const { signal, ...call } = seen[0] ?? {};
    assert.equal(signal?.aborted, false);
    assert.deepEqual(call, {
      deadlineMs: Number.POSITIVE_INFINITY,
      origin: {
        traceparent: undefined,
        tracestate: undefined,
        holder: undefined,
        allowed: undefined,
        isBulk: false,
      },
      span: undefined,
    });
  });

  it("has the trace that came with the call", async () => {
    await client.analyze(REQUEST, { metadata: Metadata({ traceparent: TRACE }) });
    assert.equal(seen[0]?.origin.traceparent, TRACE);
  });

  it("has what tracing systems added to the trace, as long as the standard asks for", async () => {
    const state = "vendor=1,other=t61rcWkgMzE";
    const stateWith = async (metadata: Record<string, string>) => {
      await client.analyze(REQUEST, { metadata: Metadata(metadata) });
      return seen.at(-1)?.origin.tracestate;
    };
    assert.equal(await stateWith({ traceparent: TRACE, tracestate: state }), state);
    const long = `vendor=${"x".repeat(506)}`;
    assert.equal(await stateWith({ traceparent: TRACE, tracestate: long }), undefined);
    assert.equal(await stateWith({ tracestate: state }), undefined);
  });

  for (const traceparent of [
    "",
    "nonsense",
    TRACE.toUpperCase(),
    `01${TRACE.slice(2)}`,
    `${TRACE}-extra`,
    TRACE.slice(0, -1),
  ]) {
    it(`drops a trace that is none: "${traceparent}"`, async () => {
      await client.analyze(REQUEST, { metadata: Metadata({ traceparent }) });
      assert.equal(seen[0]?.origin.traceparent, undefined);
    });
  }

  it("keeps calls apart that are under way at once", async () => {
    const traces = Array.from({ length: 20 }, (_, n) => `${TRACE.slice(0, -2)}${10 + n}`);
    await Promise.all(
      traces.map((traceparent) => client.analyze(REQUEST, { metadata: Metadata({ traceparent }) })),
    );
    for (const trace of traces)
      assert.equal(seen.filter((call) => call.origin.traceparent === trace).length, 1);
  });

  it("has the trace that came with a stream", async () => {
    const metadata = Metadata({ traceparent: TRACE });
    const ids: string[] = [];
    const requests = async function* () {
      for (const id of ["a", "b", "c"]) yield { ...REQUEST, id };
    };
    for await (const { id } of client.analyzeStream(requests(), { metadata })) ids.push(id);
    assert.deepEqual(ids, ["a", "b", "c"]);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.origin.traceparent, TRACE);
  });

  const reader = (isCurrent = () => true): Holder => ({
    name: "reader",
    rights: ["analyze"],
    tokensPerMinute: 7,
    isCurrent,
  });
  const letIn = (holder?: Caller): Decision => ({ isLetIn: true, holder });
  /** What nice-grpc has of a call that the entrance has so decided on. */
  const contextOf = ({
    decision = letIn(),
    deadlineMs = Number.POSITIVE_INFINITY,
    signal = new AbortController().signal,
  }: Partial<Arrival> & { signal?: AbortSignal }) => {
    const sent = { get: () => undefined };
    const carrier = carried({ decision, deadlineMs, metadata: sent, cut: () => {} });
    const metadata = Metadata();
    for (const name of Object.keys(carrier.getMap())) metadata.set(name, carrier.get(name));
    return { metadata, trailer: Metadata(), signal } as Partial<CallContext> as CallContext;
  };
  it("knows whose key a call came with", async () => {
    let seen: Call | undefined;
    const steps = around()(
      {
        requestStream: false,
        responseStream: false,
        request: {},
        method: { path: "", requestStream: false, responseStream: false, options: {} },
        // biome-ignore lint/correctness/useYield: a unary call returns its answer.
        async *next(_: unknown, { call }: CallExt) {
          seen = call;
          return {};
        },
      } as never,
      contextOf({ decision: letIn(reader()) }),
    );
    await steps.next();
    assert.equal(seen?.origin.holder, "reader");
    assert.equal(seen?.origin.allowed?.tokensPerMinute, 7);
  });

  it("has what its key allows now, not what it allowed when the call came", async () => {
    const allowed = { name: "reader", tokensPerMinute: 7 };
    let seen: Call | undefined;
    const steps = around()(
      {
        requestStream: true,
        responseStream: true,
        method: { path: "", requestStream: true, responseStream: true, options: {} },
        async *next(_: unknown, { call }: CallExt) {
          seen = call;
          yield {};
        },
      } as never,
      contextOf({ decision: letIn(allowed) }),
    );
    await steps.next();
    allowed.tokensPerMinute = 5;
    assert.equal(seen?.origin.allowed?.tokensPerMinute, 5);
    await steps.return(undefined);
  });

  it("refuses whom the entrance refuses, before the call goes on", async () => {
    const decision = refused(new ServiceError("KEY_UNKNOWN", "no such key"));
    const steps = around()(
      { method: { path: "" }, next: () => assert.fail("the call went on") } as never,
      contextOf({ decision }),
    );
    await assert.rejects(steps.next(), { code: Status.UNAUTHENTICATED });
    assert.deepEqual(endedAs(), [["", "UNAUTHENTICATED", 0]]);
  });

  it("refuses a call that no interceptor has seen, whatever its client has sent", async () => {
    for (const metadata of [Metadata(), Metadata({ "arrival-bin": Buffer.from("let me in") })]) {
      const { signal } = new AbortController();
      const steps = around()(
        { method: { path: "" }, next: () => assert.fail("the call went on") } as never,
        { metadata, trailer: Metadata(), signal } as never,
      );
      await assert.rejects(steps.next(), { code: Status.UNAUTHENTICATED });
    }
  });

  it("ends a stream whose key is revoked, also while it waits", async () => {
    let isCurrent = true;
    const stream = { requestStream: true, responseStream: true };
    const steps = around()(
      {
        ...stream,
        method: { path: "", ...stream },
        async *next() {
          yield "first";
          await new Promise(() => {});
        },
      } as never,
      contextOf({ decision: letIn(reader(() => isCurrent)) }),
    );
    assert.equal((await steps.next()).value, "first");
    const second = assert.rejects(steps.next(), { code: Status.UNAUTHENTICATED });
    clock.advance(1000);
    assert.equal(clock.pending, 1);
    isCurrent = false;
    clock.advance(1000);
    await second;
    clock.advance(1000);
    await until(() => clock.pending === 0);
    assert.deepEqual(endedAs(), [["", "UNAUTHENTICATED", 1]]);
  });

  it("tells gRPC's own retries how long to wait", async () => {
    const decision = refused(new ServiceError("OVERLOADED", "busy", { retryAfterMs: 250.4 }));
    const context = contextOf({ decision });
    const steps = around()({ method: { path: "" } } as never, context);
    await assert.rejects(steps.next(), ServerError);
    assert.equal(context.trailer.get("grpc-retry-pushback-ms"), "251");
    assert.deepEqual(endedAs(), [["", "RESOURCE_EXHAUSTED", 0]]);
  });

  it("passes on what a call throws", async () => {
    const broken = { code: Status.INTERNAL, details: "broken" };
    await assert.rejects(client.analyzeBatch({ ...REQUEST, texts: [] }), broken);
  });

  describe("tells of calls", () => {
    const SERVICE = "/sentiment.v1.SentimentService";
    let told: string[];
    let inFlight: number;
    beforeEach(() => {
      [told, inFlight] = [[], 0];
    });
    const events = {
      method: (path: string, isStream: boolean) => ({
        began: () => {
          inFlight++;
        },
        ended: (code: string, tookMs: number) => {
          inFlight--;
          told.push(`${path}${isStream ? " stream" : ""} ${code} ${tookMs}`);
        },
      }),
    };
    /** The steps of a call that does `next`. */
    const begin = (
      next: () => AsyncGenerator,
      {
        isStream = false,
        signal = new AbortController().signal,
        leftMs = Number.POSITIVE_INFINITY,
        decision = letIn(),
      },
    ) => {
      const middleware = aroundCalls({ ...parts(), events });
      const stream = { requestStream: isStream, responseStream: isStream };
      const method = { path: `${SERVICE}/Call`, ...stream };
      const call = { ...stream, request: {}, method, next };
      const deadlineMs = clock.now() + leftMs;
      return middleware(call as never, contextOf({ decision, deadlineMs, signal }));
    };
    const unary = (work: () => object) =>
      // biome-ignore lint/correctness/useYield: a unary call returns its answer.
      async function* () {
        return work();
      };
    const failing = (error: unknown) =>
      unary(() => {
        clock.advance(3);
        throw error;
      });

    it("that were answered, with their time", async () => {
      const steps = begin(
        unary(() => {
          assert.equal(inFlight, 1);
          clock.advance(5);
          return {};
        }),
        {},
      );
      await steps.next();
      assert.deepEqual([told, inFlight], [[`${SERVICE}/Call OK 5`], 0]);
    });

    it("that a check refuses, or that fail, by the code that the client gets", async () => {
      const decision = refused(new ServiceError("KEY_MISSING", "no key"));
      await assert.rejects(begin(failing(0), { decision }).next());
      await assert.rejects(begin(failing(new ServiceError("OVERLOADED", "busy")), {}).next());
      await assert.rejects(begin(failing(new ServerError(Status.NOT_FOUND, "none")), {}).next());
      await assert.rejects(begin(failing(new Error("a bug")), {}).next());
      const codes = ["UNAUTHENTICATED 0", "RESOURCE_EXHAUSTED 3", "NOT_FOUND 3", "INTERNAL 3"];
      assert.deepEqual(
        told,
        codes.map((code) => `${SERVICE}/Call ${code}`),
      );
      assert.equal(inFlight, 0);
    });

    it("whose clients have left, whatever came of them, or whose deadlines have passed", async () => {
      const signal = AbortSignal.abort();
      const answering = unary(() => ({}));
      await assert.rejects(begin(failing(new AbortError()), { signal }).next());
      await assert.rejects(begin(failing(new Error("a bug")), { signal }).next());
      await begin(answering, { signal }).next();
      await begin(answering, { signal, leftMs: 5000 }).next();
      await begin(answering, { signal, leftMs: 50 }).next();
      assert.deepEqual(
        told.map((line) => line.split(" ")[1]),
        ["CANCELLED", "CANCELLED", "CANCELLED", "CANCELLED", "DEADLINE_EXCEEDED"],
      );
    });

    it("that stream, once, when they have ended, also where the reader takes no more", async () => {
      const endless = async function* () {
        while (true) yield "one";
      };
      const two = async function* () {
        yield "one";
        yield "two";
      };
      const whole = begin(two, { isStream: true });
      for await (const _ of whole) assert.deepEqual(told, []);
      const left = begin(endless, { isStream: true });
      await left.next();
      assert.equal(inFlight, 1);
      await left.return(undefined as never);
      assert.deepEqual(told, [`${SERVICE}/Call stream OK 0`, `${SERVICE}/Call stream CANCELLED 0`]);
      assert.equal(inFlight, 0);
    });
  });

  it("ends a stream whose reader leaves", async () => {
    let isOver = false;
    const requests = async function* () {
      yield { ...REQUEST, id: "a" };
      await new Promise(() => {});
    };
    const steps = around()(
      {
        requestStream: true,
        responseStream: true,
        request: requests(),
        method: { path: "", requestStream: true, responseStream: true, options: {} },
        async *next() {
          try {
            yield "first";
          } finally {
            isOver = true;
          }
        },
      } as never,
      contextOf({}),
    );
    assert.equal((await steps.next()).value, "first");
    await steps.return(undefined as never);
    assert.ok(isOver);
    assert.deepEqual(endedAs(), [["", "CANCELLED", 1]]);
  });

  it("tells of each call once it is over: its method, status, time and answers", async () => {
    await client.analyze(REQUEST);
    await assert.rejects(client.analyzeBatch({ ...REQUEST, texts: [] }));
    const requests = async function* () {
      for (const id of ["a", "b"]) yield { ...REQUEST, id };
    };
    for await (const _ of client.analyzeStream(requests()));
    assert.deepEqual(endedAs(), [
      ["/sentiment.v1.SentimentService/Analyze", "OK", 0],
      ["/sentiment.v1.SentimentService/AnalyzeBatch", "INTERNAL", 0],
      ["/sentiment.v1.SentimentService/AnalyzeStream", "OK", 2],
    ]);
    assert.ok(ended.every(([, , , ms]) => ms === 0));
  });

  it("tells of a call whose caller has left that it was cancelled", async () => {
    const left = new AbortController();
    const middleware = around();
    const steps = middleware(
      {
        method: { path: "" },
        // biome-ignore lint/correctness/useYield: a unary call returns its answer.
        async *next() {
          clock.advance(25);
          left.abort();
          left.signal.throwIfAborted();
        },
      } as never,
      contextOf({ signal: left.signal }),
    );
    await assert.rejects(steps.next());
    assert.deepEqual(endedAs(), [["", "CANCELLED", 0]]);
    assert.equal(ended[0]?.[3], 25);
  });
});
