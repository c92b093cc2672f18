import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { Metadata as GrpcMetadata, type ServerListener } from "@grpc/grpc-js";
import {
  type CallOptions,
  type Channel,
  createChannel,
  createClient,
  createServer,
  Metadata,
  Status,
} from "nice-grpc";
import { type Call, currentCall } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import {
  AnalyzeRequest,
  SentimentServiceDefinition,
  Tier,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { aroundCalls } from "../../../server/rpc/around-calls.js";
import { type Check, createEntrance, type Entrance } from "../../../server/rpc/entrance.js";
import { watchCalls } from "../../../server/rpc/watched-call.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { failureOf } from "../../support/status-details.js";

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

function isUnknown(entrance: Entrance, metadata: Metadata): boolean {
  try {
    entrance.enter(metadata);
    return false;
  } catch {
    return true;
  }
}

describe("the entrance", function () {
  this.timeout(10_000);
  let clock: FakeClock;
  let entrance: Entrance;
  let asked: string[];
  let callers: (Call | undefined)[];
  /** Codes of the calls that have ended, as metrics are told of them. */
  let codes: string[];
  let streamsEnded = 0;
  let server: ReturnType<typeof createServer>;
  let address: string;
  let channel: Channel;
  let session: ClientHttp2Session;

  before(async () => {
    clock = new FakeClock();
    entrance = createEntrance(new Map([[SentimentServiceDefinition.fullName, check]]));
    server = createServer({ interceptors: [watchCalls(LIMITS, entrance, clock, () => {})] });
    const parts = {
      clock,
      reportBug: () => assert.fail("it is no bug"),
      tracer: undefined,
      events: { method: () => ({ began() {}, ended: (code: string) => codes.push(code) }) },
      ended() {},
    };
    server.with(aroundCalls(parts, entrance)).add(SentimentServiceDefinition, {
      async analyze({ text }) {
        asked.push(text);
        callers.push(currentCall.getStore());
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

  const analyze = (key: string, more: Record<string, string> = {}, options: CallOptions = {}) => {
    const metadata = Metadata({ "x-api-key": key, ...more });
    const client = createClient(SentimentServiceDefinition, channel);
    return client.analyze(REQUEST, { ...options, metadata });
  };
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
    const holders = callers.map((call) => [call?.holder, call?.allowed?.tokensPerMinute]);
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

  it("takes nothing that a client says of its own decision", async () => {
    const good = begun("good", "Analyze");
    for (const id of ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]) {
      const call = (options: CallOptions) => analyze("bad", { "x-sentiment-call-id": id }, options);
      assert.equal((await failureOf(call)).reason, "KEY_UNKNOWN");
    }
    assert.deepEqual(asked, []);
    const message = AnalyzeRequest.encode(REQUEST).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    good.end(Buffer.concat([head, message]));
    await until(() => asked.length === 1);
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

  const ID = "x-sentiment-call-id";
  const ANALYZE = `/${SentimentServiceDefinition.fullName}/Analyze`;

  it("forgets no decision when a call ends that nobody checks, whatever it says", () => {
    const [checked, other] = [new GrpcMetadata(), new GrpcMetadata()];
    checked.set("x-api-key", "good");
    void entrance.look(ANALYZE, checked, () => "");
    const id = String(checked.get(ID)[0]);
    other.set(ID, id);
    void entrance.look("/grpc.health.v1.Health/Check", other, () => "");
    entrance.leave(other);
    assert.equal(entrance.enter(Metadata({ [ID]: id }))?.name, "reader");
    entrance.leave(checked);
  });

  it("forgets a decision that comes when the client has left", async () => {
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
    const handler = () => assert.fail("the call went on");
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
    const shown = Metadata({ [ID]: String(metadata.get(ID)[0]) });
    await until(() => isUnknown(late, shown));
  });

  it("lets nobody in whose decision is gone", () => {
    const metadata = Metadata({ "x-api-key": "good" });
    assert.throws(() => entrance.enter(metadata), { reason: "KEY_UNKNOWN" });
  });
});
