import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { gzipSync } from "node:zlib";
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { createServer, type Server, Status } from "nice-grpc";
import { RetryInfo } from "../../../server/gen/google/rpc/error_details.js";
import { Status as StatusMessage } from "../../../server/gen/google/rpc/status.js";
import {
  AnalyzeBatchRequest,
  AnalyzeRequest,
  AnalyzeStreamRequest,
  SentimentServiceDefinition,
  Tier,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { answeredBy, takenUp } from "../../../server/rpc/held-messages.js";
import { holdRequests } from "../../../server/rpc/held-requests.js";
import { inflateInTurn } from "../../../server/rpc/inflate-in-turn.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";

const MOST_BYTES = 1_000_000;
const ASK = { tier: Tier.TIER_FAST, options: undefined };

/** As gRPC frames a message. */
function framed(message: Uint8Array, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(Number(compressed), 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
const unary = (text: string) => framed(AnalyzeRequest.encode({ text, ...ASK }).finish());
const streamed = (id: string, text: string) =>
  AnalyzeStreamRequest.encode({ id, text, ...ASK }).finish();

describe("holdRequests", function () {
  this.timeout(20_000);
  let clock: FakeClock;
  let cuts: number;
  let read: number;
  /** Streams are taken up no further than this many messages. */
  let mostRead: number;
  /** Held for each message's answer. */
  let answerBytes: number;
  /** A message called "waits" is taken up with this, and has no answer. */
  let taken: Promise<void>;
  let server: Server;
  let address: string;
  let sessions: ClientHttp2Session[];
  /** Bytes of the memory that grpc-js reads lengths into, call by call. */
  let lengthMemory: number[];

  beforeEach(async () => {
    clock = new FakeClock();
    [cuts, read, mostRead, sessions, lengthMemory] = [0, 0, Number.POSITIVE_INFINITY, [], []];
    [answerBytes, taken] = [0, Promise.resolve()];
    const takeUp = async (request: AnalyzeStreamRequest) => {
      if (request.id !== "waits") return takenUp(request, answerBytes);
      await taken;
      takenUp(request, answerBytes);
      return await new Promise(() => {});
    };
    const held = holdRequests(MOST_BYTES, clock, () => void cuts++);
    const look: ServerInterceptor = (_, call) => {
      const { decoder } = call as unknown as { decoder: { readPartialSize: Buffer } };
      lengthMemory.push(decoder.readPartialSize.buffer.byteLength);
      return call as ServerInterceptingCall;
    };
    const interceptors = [held, look, inflateInTurn()];
    server = createServer({ "grpc.max_receive_message_length": 4e6, interceptors });
    server.add(SentimentServiceDefinition, {
      analyze: async () => ({ sentiment: undefined, timing: undefined }),
      analyzeBatch: async (request, { signal }) => {
        takenUp(request, answerBytes);
        read++;
        if (request.texts.length > 1) await once(signal, "abort");
        return answeredBy(request, { results: [] }, answerBytes);
      },
      async *analyzeStream(requests) {
        for await (const request of requests) {
          if (read === mostRead) await new Promise(() => {});
          read++;
          await takeUp(request);
          yield answeredBy(request, { id: request.id }, answerBytes);
        }
      },
      listModels: async () => ({ models: [] }),
    });
    address = `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
  });
  afterEach(() => {
    for (const session of sessions) session.destroy();
    server.forceShutdown();
  });

  const client = (): ClientHttp2Session => {
    const session = connect(`http://${address}`).on("error", () => {});
    sessions.push(session);
    return session;
  };
  const call = (session: ClientHttp2Session, method: string, encoding = "identity") =>
    session
      .request({
        ":method": "POST",
        ":path": `/sentiment.v1.SentimentService/${method}`,
        "content-type": "application/grpc",
        "grpc-encoding": encoding,
        te: "trailers",
      })
      .on("error", () => {});
  /** The status of a call that is refused, or has ended. */
  const statusOf = async (stream: ClientHttp2Stream): Promise<Record<string, string>> => {
    stream.resume();
    const [headers] = await once(stream, "response");
    if (headers["grpc-status"] !== undefined) return headers;
    return (await once(stream, "trailers"))[0];
  };
  const isAnswered = async (session: ClientHttp2Session): Promise<void> => {
    const stream = call(session, "Analyze");
    stream.end(unary("fine"));
    assert.equal((await statusOf(stream))["grpc-status"], String(Status.OK));
  };
  const isRefused = (headers: Record<string, string>): void => {
    assert.equal(headers["grpc-status"], String(Status.RESOURCE_EXHAUSTED));
    assert.match(decodeURI(headers["grpc-message"] ?? ""), /take 1 MB already, .* send fewer/);
    const { details } = StatusMessage.decode(
      Buffer.from(headers["grpc-status-details-bin"] ?? "", "base64"),
    );
    const retry = details.find(({ typeUrl }) => typeUrl.endsWith("RetryInfo"));
    assert.ok(RetryInfo.decode(retry?.value ?? Buffer.of()).retryDelay);
  };

  it("refuses requests that are sent by half, on the connection that sends them, until they are gone", async () => {
    const [greedy, modest] = [client(), client()];
    const half = unary("x".repeat(200_000)).subarray(0, 150_000);
    const open: ClientHttp2Stream[] = [];
    const ended = Promise.withResolvers<Record<string, string>>();
    while (cuts === 0 && open.length < 10) {
      const stream = call(greedy, "Analyze");
      open.push(stream);
      void statusOf(stream).then(ended.resolve, () => {});
      // By the time that another client has its answer it is there.
      await new Promise((sent) => stream.write(half, sent));
      await isAnswered(modest);
    }
    isRefused(await ended.promise);
    // 300,000 each, as they are counted.
    assert.equal(open.length, 4);
    await isAnswered(modest);
    const closed = open.map(
      (stream) => stream.closed || new Promise((done) => stream.once("close", done)),
    );
    for (const stream of open) stream.close();
    await Promise.all(closed);
    const whole = call(greedy, "Analyze");
    whole.end(unary("x".repeat(200_000)));
    assert.equal((await statusOf(whole))["grpc-status"], String(Status.OK));
    assert.equal(cuts, 1);
  });

  it("counts what is inflated, and what a stream has that nobody takes", async () => {
    mostRead = 1;
    const stream = call(client(), "AnalyzeStream", "gzip");
    const bomb = framed(gzipSync(streamed("1", "\0".repeat(100_000))), true);
    assert.ok(bomb.length < 1000);
    for (let sent = 0; sent < 10; sent++) stream.write(bomb);
    const [, trailers] = await Promise.all([until(() => cuts === 1), statusOf(stream)]);
    isRefused(trailers);
    await isAnswered(client());
  });

  it("has lengths read into Node's pool, also those that come byte by byte", async () => {
    const session = client();
    const calls = ["first", "second"].map((text) => {
      const bytes = unary(text);
      return { stream: call(session, "Analyze"), bytes };
    });
    const ended = Promise.all(calls.map(({ stream }) => statusOf(stream)));
    // In turns, so that two calls read into the pool at once.
    for (let at = 0; at < 5; at++)
      for (const { stream, bytes } of calls)
        await new Promise((sent) => stream.write(bytes.subarray(at, at + 1), sent));
    for (const { stream, bytes } of calls) stream.end(bytes.subarray(5));
    for (const headers of await ended)
      assert.equal(headers["grpc-status"], String(Status.OK), headers["grpc-message"]);
    assert.deepEqual(lengthMemory, [Buffer.poolSize, Buffer.poolSize]);
  });

  it("counts each piece of what is not whole, however short", async () => {
    const stream = call(client(), "Analyze");
    const refused = statusOf(stream);
    const message = unary("x".repeat(20_000));
    for (let place = 0; cuts === 0 && place < message.length; place++) {
      // Else what is written together is sent together.
      await new Promise((next) => stream.write(message.subarray(place, place + 1), next));
    }
    isRefused(await refused);
  });

  it("lets a stream send for ever whose messages are taken", async () => {
    for (const encoding of ["identity", "gzip"]) {
      read = 0;
      const stream = call(client(), "AnalyzeStream", encoding);
      const ended = statusOf(stream);
      const text = streamed("1", "good ".repeat(10_000));
      const message = encoding === "gzip" ? framed(gzipSync(text), true) : framed(text);
      for (let sent = 1; sent <= 100; sent++) {
        stream.write(message);
        await until(() => read === sent);
      }
      stream.end();
      assert.equal((await ended)["grpc-status"], String(Status.OK));
    }
    assert.equal(cuts, 0);
  });

  it("counts each message, however small", async () => {
    mostRead = 0;
    const stream = call(client(), "AnalyzeStream");
    const refused = statusOf(stream);
    const empty = framed(Buffer.of());
    stream.write(Buffer.concat(Array.from({ length: 3000 }, () => empty)));
    isRefused(await refused);
  });

  it("reads nothing more of what is refused", async () => {
    mostRead = 0;
    const stream = call(client(), "AnalyzeStream", "gzip");
    const bomb = framed(gzipSync(streamed("1", "\0".repeat(400_000))), true);
    stream.write(Buffer.concat(Array.from({ length: 20 }, () => bomb)));
    isRefused(await statusOf(stream));
    assert.equal(cuts, 1);
    stream.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.once("close", resolve);
    if (!stream.closed) await promise;
    await isAnswered(client());
  });

  it("cuts off answers that are not taken, of who leaves more than an even part of them", async () => {
    const modest = client();
    const greedy = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    sessions.push(greedy.on("error", () => {}));
    const open: ClientHttp2Stream[] = [];
    const ended = Promise.withResolvers<ClientHttp2Stream>();
    while (cuts === 0 && open.length < 200) {
      const stream = call(greedy, "Analyze").on("close", () => ended.resolve(stream));
      open.push(stream);
      stream.end(unary("fine"));
      await once(stream, "response");
    }
    assert.equal((await ended.promise).rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // 10,000 each and a little more, as they are counted.
    assert.ok(open.length > 90 && open.length < 100, `${open.length} of them`);
    await isAnswered(modest);
    for (const stream of open) stream.close();
    await until(() => open.every(({ closed }) => closed));
    greedy.settings({ initialWindowSize: 65_535 });
    await isAnswered(greedy);
    assert.equal(cuts, 1);
  });

  it("holds for a stream what its answers take until they are written", async () => {
    answerBytes = 100_000;
    const stream = call(client(), "AnalyzeStream");
    const ended = statusOf(stream);
    for (let sent = 1; sent <= 30; sent++) {
      stream.write(framed(streamed("1", "good")));
      await until(() => read === sent);
    }
    stream.end();
    assert.equal((await ended)["grpc-status"], String(Status.OK));
    assert.equal(cuts, 0);
    const deaf = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    sessions.push(deaf.on("error", () => {}));
    const untaken = call(deaf, "AnalyzeStream");
    const closed = Promise.withResolvers<void>();
    untaken.on("close", closed.resolve);
    for (let sent = 0; sent < 30; sent++) untaken.write(framed(streamed("1", "good")));
    await until(() => cuts === 1);
    await isAnswered(client());
    clock.advance(60_000);
    await closed.promise;
  });

  it("holds nothing for what is refused and may be read on for a second, so that others are not refused for it", async () => {
    answerBytes = 250_000;
    const { promise, resolve: take } = Promise.withResolvers<void>();
    taken = promise;
    const session = client();
    const streams = Array.from({ length: 20 }, () => call(session, "AnalyzeStream"));
    for (const stream of streams) stream.write(framed(streamed("waits", "good")));
    await until(() => read === 20);
    take();
    await until(() => cuts >= 16);
    await isAnswered(client());
    for (const stream of streams) stream.close();
  });

  it("holds for a large call what its answer takes, a quarter of all at most, until it is over", async () => {
    answerBytes = 10_000_000;
    const session = client();
    const batch = (...texts: string[]) =>
      framed(AnalyzeBatchRequest.encode({ texts, ...ASK }).finish());
    for (let asked = 0; asked < 5; asked++) {
      const stream = call(session, "AnalyzeBatch");
      stream.end(batch("good ".repeat(10_000)));
      assert.equal((await statusOf(stream))["grpc-status"], String(Status.OK));
    }
    const held = [1, 2].map(() => call(session, "AnalyzeBatch"));
    for (const stream of held) stream.end(batch("good ".repeat(10_000), "good"));
    await until(() => read === 7);
    const third = call(session, "AnalyzeBatch");
    third.end(batch("good ".repeat(10_000), "good"));
    isRefused(await statusOf(third));
    await isAnswered(client());
    for (const stream of held) stream.close();
  });

  it("closes the stream of who does not take the status either", async () => {
    const deaf = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    sessions.push(deaf.on("error", () => {}));
    const stream = call(deaf, "AnalyzeStream");
    mostRead = 1;
    stream.write(framed(streamed("1", "fine")));
    await once(stream, "response");
    for (let sent = 0; sent < 10; sent++) stream.write(framed(streamed("1", "x".repeat(100_000))));
    await until(() => cuts === 1);
    const closed = new Promise((done) => stream.once("close", done));
    clock.advance(1000);
    await closed;
    assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await until(() => clock.pending === 0);
  });
});
