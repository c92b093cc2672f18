import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import {
  type Channel,
  createChannel,
  createClient,
  createServer,
  type Server,
  Status,
} from "nice-grpc";
import { ServiceError } from "../../../server/core/errors.js";
import {
  AnalyzeRequest,
  AnalyzeStreamRequest,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import type { ClientLimits } from "../../../server/rpc/client-limits.js";
import {
  createEntrance,
  type Decision,
  type Entrance,
  refused,
} from "../../../server/rpc/entrance.js";
import type { CutReason } from "../../../server/rpc/events.js";
import { watchCalls } from "../../../server/rpc/watched-call.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { startSlowProxy } from "../../support/slow-proxy.js";
import { failureOf } from "../../support/status-details.js";

const REQUEST_MS = 30_000;
const IDLE_MS = 300_000;
const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };
/** Of a size of which a client's first window of 64 KiB holds a few. */
const LONG_ID = "x".repeat(10_000);

const BYTES = Buffer.from([0, 200]);

/** Types of frames of HTTP/2 (RFC 9113). */
const [DATA, HEADERS] = [0, 1];
const FRAME_HEAD_BYTES = 9;

function typesOf(frames: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at < frames.length; at += FRAME_HEAD_BYTES + frames.readUIntBE(at, 3))
    types.push(frames.readUInt8(at + 3));
  return types;
}

/** Requests that the test sends one by one. */
function sender() {
  const queue: AnalyzeStreamRequest[] = [];
  let wake = () => {};
  let ended = false;
  async function* requests() {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (ended) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return {
    requests: requests(),
    send: (id: string) => {
      queue.push({ id, ...REQUEST });
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
  };
}

describe("watchCalls", function () {
  this.timeout(10_000);
  let clock: FakeClock;
  let cuts: CutReason[];
  /** Ids that the server has read, each of which it answers word by word, and those that it may answer. */
  let read: string[];
  let isHeld: boolean;
  let release: () => void;
  let ended: number;
  let server: Server;
  let address: string;
  let channel: Channel;
  let client: SentimentServiceClient;
  let session: ClientHttp2Session;

  async function start(
    limits: Partial<ClientLimits> = {},
    entrance: Entrance = createEntrance(new Map()),
  ) {
    server = createServer({
      interceptors: [
        watchCalls(
          { requestMs: REQUEST_MS, idleMs: IDLE_MS, maxStreams: 2, ...limits },
          entrance,
          clock,
          (why) => cuts.push(why),
        ),
      ],
    });
    const held = () =>
      new Promise<void>((resolve) => {
        release = resolve;
        if (!isHeld) resolve();
      });
    server.add(SentimentServiceDefinition, {
      async analyze(_request, { trailer }) {
        read.push("analyze");
        await held();
        trailer.append("x-told", "one").append("x-told", "two").set("x-bytes-bin", BYTES);
        return { sentiment: undefined, timing: undefined };
      },
      analyzeBatch: async () => ({ results: [] }),
      async *analyzeStream(requests) {
        try {
          for await (const { id } of requests) {
            read.push(id);
            await held();
            for (const part of id.split(" ")) yield { id: part };
          }
        } finally {
          ended++;
        }
      },
      listModels: async () => ({ models: [] }),
    });
    address = `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
    channel = createChannel(address);
    client = createClient(SentimentServiceDefinition, channel);
    session = connect(`http://${address}`).on("error", () => {});
  }

  beforeEach(() => {
    clock = new FakeClock();
    [cuts, read, isHeld, ended] = [[], [], false, 0];
    release = () => {};
  });
  afterEach(async () => {
    session.destroy();
    channel.close();
    await server.shutdown();
  });

  /** A call by HTTP/2 itself. */
  const call = (method: string, more: OutgoingHttpHeaders = {}): ClientHttp2Stream =>
    session
      .request({
        ":method": "POST",
        ":path": `/sentiment.v1.SentimentService/${method}`,
        "content-type": "application/grpc",
        te: "trailers",
        ...more,
      })
      .on("error", () => {});
  const framedAs = (message: Uint8Array) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  };
  const framed = () => framedAs(AnalyzeRequest.encode(REQUEST).finish());
  /** Once the server has as many calls, each with its timer. */
  const watched = (calls = 1) => until(() => clock.pending === calls);

  it("ends a call whose request is not there in time, and closes its stream", async () => {
    await start();
    const slow = call("Analyze");
    slow.write(framed().subarray(0, 7));
    await watched();
    const answered = once(slow, "response");
    clock.advance(REQUEST_MS - 1);
    assert.deepEqual(cuts, []);
    clock.advance(1);
    const [headers] = await answered;
    assert.equal(headers["grpc-status"], String(Status.DEADLINE_EXCEEDED));
    assert.match(decodeURI(headers["grpc-message"]), /not arrived within 30 seconds: send it in/);
    assert.ok(headers["grpc-status-details-bin"]);
    slow.resume();
    clock.advance(1000);
    await once(slow, "close");
    assert.deepEqual([cuts, read, clock.pending], [["slow_request"], [], 0]);
  });

  it("closes the stream of a call that is past its own deadline, and of which more could come", async () => {
    await start();
    const late = call("Analyze", { "grpc-timeout": "20m" });
    late.write(framed().subarray(0, 7));
    const [headers] = await once(late, "response");
    assert.equal(headers["grpc-status"], String(Status.DEADLINE_EXCEEDED));
    late.resume();
    await watched();
    clock.advance(1000);
    await once(late, "close");
    assert.deepEqual([cuts, read, clock.pending], [[], [], 0]);
  });

  it("does not take a message without its end for a whole request", async () => {
    await start();
    const open = call("Analyze");
    open.write(framed());
    await watched();
    const answered = once(open, "response");
    await new Promise((next) => setImmediate(next));
    clock.advance(REQUEST_MS);
    assert.equal((await answered)[0]["grpc-status"], String(Status.DEADLINE_EXCEEDED));
    assert.deepEqual(read, []);
  });

  it("lets the server take as long as it likes", async () => {
    isHeld = true;
    await start();
    const answer = client.analyze(REQUEST);
    await until(() => read.length === 1);
    clock.advance(10 * IDLE_MS);
    release();
    await answer;
    await watched(0);
    assert.deepEqual(cuts, []);
  });

  it("ends a stream on which nothing was sent for long, and says what to do", async () => {
    await start();
    const { requests, send } = sender();
    const answers: string[] = [];
    const failure = failureOf(async (options) => {
      for await (const { id } of client.analyzeStream(requests, options)) answers.push(id);
    });
    await watched();
    clock.advance(IDLE_MS - 1);
    send("1");
    await until(() => answers.length === 1);
    clock.advance(IDLE_MS - 1);
    assert.deepEqual(cuts, []);
    clock.advance(1);
    const { code, reason, message } = await failure;
    assert.deepEqual([code, reason], [Status.DEADLINE_EXCEEDED, "DEADLINE"]);
    assert.match(message, /Nothing was sent for 300 seconds: end a stream that has no texts/);
    await until(() => ended === 1 && clock.pending === 0);
    assert.deepEqual([answers, cuts], [["1"], ["silent_stream"]]);
  });

  it("does not take a stream for silent while an answer of it is under way", async () => {
    isHeld = true;
    await start();
    const { requests, send, end } = sender();
    const answers: string[] = [];
    const streaming = (async () => {
      for await (const { id } of client.analyzeStream(requests)) answers.push(id);
    })();
    send("1");
    await until(() => read.length === 1);
    clock.advance(3 * IDLE_MS);
    release();
    await until(() => answers.length === 1);
    end();
    await streaming;
    await watched(0);
    assert.deepEqual(cuts, []);
  });

  it("cuts a stream whose reader takes no answer for long, and what waits for it is let go", async () => {
    await start();
    const { requests, send } = sender();
    const stream = client.analyzeStream(requests)[Symbol.asyncIterator]();
    // As many as windows and buffers of both sides hold, and more.
    for (let count = 0; count < 200; count++) send(LONG_ID);
    await stream.next();
    let before = -1;
    while (read.length > before) {
      before = read.length;
      await new Promise((next) => setTimeout(next, 50));
    }
    assert.ok(before < 200, "all were read though no answer was taken");
    clock.advance(IDLE_MS - 1);
    assert.deepEqual(cuts, []);
    clock.advance(1);
    await until(() => ended === 1 && clock.pending === 0);
    assert.deepEqual(cuts, ["stopped_reader"]);
    await assert.rejects(
      async () => {
        while (!(await stream.next()).done);
      },
      { code: Status.RESOURCE_EXHAUSTED },
    );
  });

  it("cuts a unary call whose answer is not taken for long", async () => {
    await start();
    session.destroy();
    // A client without a window takes nothing.
    session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    const unread = call("Analyze");
    unread.end(framed());
    const [headers] = await once(unread, "response");
    assert.equal(headers[":status"], 200);
    clock.advance(IDLE_MS);
    await new Promise((resolve) => unread.once("close", resolve));
    assert.equal(unread.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.deepEqual(cuts, ["stopped_reader"]);
  });

  it("sends an answer and its status in one write, as a process may die between two", async () => {
    await start();
    await using proxy = await startSlowProxy(Number(address.split(":")[1]));
    const writes: number[][] = [];
    proxy.garble((bytes) => {
      writes.push(typesOf(Buffer.from(bytes)).filter((type) => type === DATA || type === HEADERS));
      return bytes;
    });
    session.destroy();
    session = connect(`http://127.0.0.1:${proxy.port}`);
    for (let count = 0; count < 10; count++) {
      const answered = call("Analyze").resume();
      answered.end(framed());
      const [trailers] = await once(answered, "trailers");
      const { "grpc-status": status, "x-told": told, "x-bytes-bin": bytes } = trailers;
      assert.deepEqual([status, told], [String(Status.OK), "one, two"]);
      assert.deepEqual(Buffer.from(bytes, "base64"), BYTES);
      await once(answered, "close");
    }
    assert.deepEqual(
      writes.filter((types) => types.length > 0),
      Array.from({ length: 10 }, () => [HEADERS, DATA, HEADERS]),
    );
  });

  it("sends answers of a stream that are ready together in one write, as many as a client may leave", async () => {
    await start();
    await using proxy = await startSlowProxy(Number(address.split(":")[1]));
    const writes: number[][] = [];
    proxy.garble((bytes) => {
      writes.push(typesOf(Buffer.from(bytes)).filter((type) => type === DATA));
      return bytes;
    });
    const near = createChannel(`127.0.0.1:${proxy.port}`);
    const ids = Array.from({ length: 80 }, (_, place) => String(place));
    const { requests, send, end } = sender();
    send(ids.join(" "));
    end();
    const got: string[] = [];
    const answers = createClient(SentimentServiceDefinition, near).analyzeStream(requests);
    for await (const { id } of answers) got.push(id);
    near.close();
    assert.deepEqual(got, ids);
    const written = writes.filter((types) => types.length > 0);
    assert.ok(written.length <= 4, `${written.length} writes`);
  });

  it("ends a stream that is asked for by HEAD, which has no place for answers", async () => {
    await start();
    const stream = session.request(
      {
        ":method": "HEAD",
        ":path": "/sentiment.v1.SentimentService/AnalyzeStream",
        "content-type": "application/grpc",
      },
      { endStream: false },
    );
    const message = AnalyzeStreamRequest.encode({ id: "one two", ...REQUEST }).finish();
    stream.on("error", () => {}).resume();
    stream.end(Buffer.concat([framedAs(message), framedAs(message)]));
    await once(stream, "close");
    await watched(0);
  });

  it("loses no status for an answer that comes after it while others are on their way", async () => {
    await start();
    session.destroy();
    session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    const stream = call("AnalyzeStream");
    const streamed = (id: string) =>
      stream.write(framedAs(AnalyzeStreamRequest.encode({ id, ...REQUEST }).finish()));
    streamed("first");
    await until(() => read.length === 1);
    isHeld = true;
    streamed("second");
    await until(() => read.length === 2);
    const ended = once(stream, "trailers");
    // No message of protobuf.
    stream.write(framedAs(Buffer.from([0xff])));
    await new Promise((next) => setTimeout(next, 50));
    release();
    await new Promise((next) => setTimeout(next, 50));
    stream.resume();
    session.settings({ initialWindowSize: 65_535 });
    assert.equal((await ended)[0]["grpc-status"], String(Status.INTERNAL));
  });

  it("refuses streams beyond the limit, until others have ended, and no other call", async () => {
    await start();
    const senders = [sender(), sender()];
    const streaming = senders.map(async ({ requests }) => {
      for await (const _ of client.analyzeStream(requests));
    });
    await watched(2);
    const refused = failureOf(async (options) => {
      for await (const _ of client.analyzeStream(sender().requests, options));
    });
    const { code, reason, retryAfterSeconds } = await refused;
    assert.deepEqual([code, reason], [Status.RESOURCE_EXHAUSTED, "OVERLOADED"]);
    assert.equal(retryAfterSeconds, 1);
    await client.analyze(REQUEST);
    for (const { end } of senders) end();
    await Promise.all(streaming);
    await watched(0);
    const { requests, send, end } = sender();
    send("1");
    end();
    const answers: string[] = [];
    for await (const { id } of client.analyzeStream(requests)) answers.push(id);
    assert.deepEqual([answers, cuts], [["1"], ["too_many_streams"]]);
  });

  it("counts no streams of those who are not let in, nor yet", async () => {
    const known: Decision = { isLetIn: true, holder: undefined };
    const unknown = refused(new ServiceError("KEY_UNKNOWN", "no such key"));
    const decisions = [
      Promise.resolve(unknown),
      new Promise<Decision>(() => {}),
      ...Array<Decision>(5).fill(known),
    ];
    await start({}, () => decisions.shift() ?? unknown);
    const stream = () => call("AnalyzeStream").resume();
    const strangers = [stream(), stream()];
    await watched(2);
    const readers = [stream(), stream()];
    await watched(4);
    assert.deepEqual(cuts, []);
    const [{ "grpc-status": status }] = await once(stream().end(), "response");
    assert.equal(status, String(Status.RESOURCE_EXHAUSTED));
    assert.deepEqual(cuts, ["too_many_streams"]);
    for (const one of [...strangers, ...readers]) one.close();
    await watched(0);
    for (const one of [stream(), stream()]) one.close();
    await watched(0);
    assert.deepEqual(cuts, ["too_many_streams"]);
  });

  it("waits for ever where that is set, but not for a request", async () => {
    await start({ idleMs: undefined });
    const { requests, send, end } = sender();
    const streaming = (async () => {
      for await (const _ of client.analyzeStream(requests));
    })();
    send("1");
    await until(() => read.length === 1);
    assert.equal(clock.pending, 0);
    call("Analyze");
    await watched();
    clock.advance(REQUEST_MS);
    await until(() => cuts.length === 1);
    end();
    await streaming;
    assert.deepEqual(cuts, ["slow_request"]);
  });
});
