import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { Metadata as GrpcMetadata, type ServerListener } from "@grpc/grpc-js";
import {
  type Channel,
  createChannel,
  createClient,
  createServer,
  Metadata,
  Status,
} from "nice-grpc";
import type { Call } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { SentimentServiceDefinition, Tier } from "../../../server/gen/sentiment/v1/sentiment.js";
import { aroundCalls } from "../../../server/rpc/around-calls.js";
import { type Check, createEntrance } from "../../../server/rpc/entrance.js";
import { watchCalls } from "../../../server/rpc/watched-call.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };
const LIMITS = { requestMs: 30_000, idleMs: undefined, maxStreams: 10 };
const refusal = () => new ServiceError("KEY_UNKNOWN", "The key is unknown.");

let isCurrent = true;

/** Lets in who shows the key "good"; with "late" after a while, with "late bad" not even then; "fleeting" for as long as `isCurrent`. */
const check: Check = (metadata) => {
  const key = metadata.get("x-api-key");
  if (key === "good") return { name: "reader" };
  if (key === "late") return Promise.resolve({ name: "late reader", tokensPerMinute: 7 });
  if (key === "fleeting") return { name: "guest", isCurrent: () => isCurrent };
  if (key === "late bad") return Promise.reject(refusal());
  throw refusal();
};

describe("the entrance", function () {
  this.timeout(10_000);
  let clock: FakeClock;
  let asked: string[];
  let callers: Call[];
  /** Codes of the calls that have ended, as metrics are told of them. */
  let codes: string[];
  let streamsEnded = 0;
  let server: ReturnType<typeof createServer>;
  let address: string;
  let channel: Channel;
  let session: ClientHttp2Session;

  before(async () => {
    clock = new FakeClock();
    const entrance = createEntrance(new Map([[SentimentServiceDefinition.fullName, check]]));
    server = createServer({ interceptors: [watchCalls(LIMITS, entrance, clock, () => {})] });
    const parts = {
      clock,
      reportBug: () => assert.fail("it is no bug"),
      tracer: undefined,
      events: { method: () => ({ began() {}, ended: (code: string) => codes.push(code) }) },
      ended() {},
    };
    server.with(aroundCalls(parts)).add(SentimentServiceDefinition, {
      async analyze({ text }, { call }) {
        asked.push(text);
        callers.push(call);
        return { sentiment: undefined, timing: undefined };
      },
      analyzeBatch: async () => ({ results: [] }),
      async *analyzeStream() {
        try {
          for (;;) yield { id: "x".repeat(10_000) };
        } finally {
          streamsEnded++;
        }
      },
      listModels: async () => ({ models: [] }),
    });
    address = `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
    channel = createChannel(address);
    session = connect(`http://${address}`).on("error", () => {});
  });
  beforeEach(() => {
    [asked, callers, codes] = [[], [], []];
    isCurrent = true;
  });
  after(async () => {
    session.destroy();
    channel.close();
    await server.shutdown();
  });

  const analyze = (key: string) =>
    createClient(SentimentServiceDefinition, channel).analyze(REQUEST, {
      metadata: Metadata({ "x-api-key": key }),
    });
  /** A call of which nothing but the metadata has come. */
  function begun(key: string, method: string, by = session): ClientHttp2Stream {
    const headers = {
      ":method": "POST",
      ":path": `/sentiment.v1.SentimentService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      "x-api-key": key,
    };
    return by.request(headers).on("error", () => {});
  }

  it("lets in whom the check lets in, at once or later", async () => {
    for (const key of ["good", "late"]) await analyze(key);
    assert.deepEqual(asked, ["fine", "fine"]);
    const holders = callers.map(({ origin }) => [origin.holder, origin.allowed?.tokensPerMinute]);
    assert.deepEqual(holders, [
      ["reader", undefined],
      ["late reader", 7],
    ]);
    assert.deepEqual(codes, ["OK", "OK"]);
  });

  const refused = ["bad", "late bad"].flatMap((key) =>
    ["Analyze", "AnalyzeStream"].map((method) => ({ key, method })),
  );
  for (const { key, method } of refused)
    it(`refuses the key "${key}" before anything of ${method} has come, and ends its stream`, async () => {
      const call = begun(key, method);
      const [headers] = await once(call, "response");
      assert.equal(headers["grpc-status"], String(Status.UNAUTHENTICATED));
      assert.ok(headers["grpc-status-details-bin"]);
      call.resume();
      clock.advance(1000);
      await once(call, "close");
      assert.deepEqual([asked, codes], [[], ["UNAUTHENTICATED"]]);
    });

  it("closes the stream of a key that is good no more, also where its answers are not taken", async () => {
    const deaf = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    const stream = begun("fleeting", "AnalyzeStream", deaf);
    await once(stream, "response");
    isCurrent = false;
    clock.advance(1000);
    assert.equal(streamsEnded, 0);
    clock.advance(1000);
    await new Promise((closed) => stream.once("close", closed));
    assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await until(() => streamsEnded === 1);
    deaf.destroy();
  });

  const ANALYZE = `/${SentimentServiceDefinition.fullName}/Analyze`;

  it("goes on with no call whose client has left before the decision", async () => {
    const { promise, resolve } = Promise.withResolvers<{ readonly name: string }>();
    const late = createEntrance(new Map([[SentimentServiceDefinition.fullName, () => promise]]));
    let listener: ServerListener | undefined;
    const call = {
      start: (one: ServerListener) => {
        listener = one;
      },
      getPeer: () => "",
      getDeadline: () => Number.POSITIVE_INFINITY,
    };
    const method = { path: ANALYZE, requestStream: false } as never;
    let wentOn = 0;
    const handler = () => {
      wentOn++;
    };
    watchCalls(LIMITS, late, clock, () => {})(method, call as never).start({
      onReceiveMetadata: handler,
      onReceiveMessage: handler,
      onReceiveHalfClose: handler,
      onCancel: () => {},
    } as never);
    const metadata = new GrpcMetadata();
    listener?.onReceiveMetadata?.(metadata, () => {});
    listener?.onCancel?.();
    resolve({ name: "late reader" });
    await promise;
    // Past what the decision sets off.
    await new Promise((done) => setImmediate(done));
    assert.equal(wentOn, 0);
  });
});
