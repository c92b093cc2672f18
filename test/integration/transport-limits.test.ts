import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError, createChannel, createClient, Metadata, Status } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import {
  AnalyzeRequest,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { FakeClock } from "../support/fake-clock.js";
import { heldBackend } from "../support/held-backend.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { countsOf, scrape } from "../support/scrape.js";
import { failureOf } from "../support/status-details.js";
import { callHeaders } from "../support/transport-clients.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };
const MESSAGE = AnalyzeRequest.encode(REQUEST).finish();
/** As gRPC sends it: not compressed, and of a length that one byte holds. */
const FRAME = Buffer.concat([Buffer.from([0, 0, 0, 0, MESSAGE.length]), MESSAGE]);

describe("the limits of the transport", function () {
  this.timeout(30_000);
  let opened: AsyncDisposableStack;
  let running: RunningApp;
  beforeEach(() => {
    opened = new AsyncDisposableStack();
  });
  afterEach(() => opened.disposeAsync());

  /** Whatever is asked is answered, unless it is `held`. */
  async function start(
    env: Readonly<Record<string, string>> = {},
    { held = heldBackend(), clock = undefined as FakeClock | undefined, isHeld = false } = {},
  ) {
    if (!isHeld) held.release();
    const parts = clock === undefined ? {} : { clock };
    running = opened.use(await runApp(env, { backend: () => held, ...parts }));
    return held;
  }
  const counts = async (name: string) => countsOf(await scrape(running.app.opsAddress ?? ""), name);
  const until = async (condition: () => boolean | Promise<boolean>) => {
    while (!(await condition())) await sleep(20);
  };
  const session = (): ClientHttp2Session => {
    const limit = { maxSendHeaderBlockLength: 10_000_000 };
    const connection = connect(`http://${running.app.address}`, limit).on("error", () => {});
    opened.defer(() => connection.destroy());
    return connection;
  };
  const tcp = (): Socket => {
    const [host = "", port] = running.app.address.split(":");
    const socket = connectTcp(Number(port), host).on("error", () => {});
    opened.defer(() => void socket.destroy());
    return socket.resume();
  };
  const request = (connection: ClientHttp2Session, headers: OutgoingHttpHeaders = {}) =>
    connection.request({ ...callHeaders("Analyze"), ...headers }).on("error", () => {});
  const answers = async () => assert.ok((await running.client.analyze(REQUEST)).sentiment);

  it("MAX_CONNECTIONS: those beyond are closed at once and counted, those within are served", async () => {
    await start({ MAX_CONNECTIONS: "2" });
    await answers();
    const other = session();
    await once(other, "remoteSettings");
    for (let count = 0; count < 3; count++) await once(tcp(), "close");
    await answers();
    assert.deepEqual(await counts("sentiment_connections"), { "": 2 });
    assert.deepEqual(await counts("sentiment_connections_refused_total"), { "": 3 });
    const lines = running.log.filter(({ msg }) => String(msg).includes("MAX_CONNECTIONS are open"));
    assert.equal(lines.length, 1);
    other.destroy();
    await until(async () => (await counts("sentiment_connections"))[""] === 1);
    await once(session(), "remoteSettings");
  });

  it("MAX_CONCURRENT_STREAMS: clients are told, keep back the rest, and all are answered", async () => {
    const held = await start({ MAX_CONCURRENT_STREAMS: "2" }, { isHeld: true });
    const connection = session();
    const [settings] = await once(connection, "remoteSettings");
    assert.equal(settings.maxConcurrentStreams, 2);
    const calls = Array.from({ length: 6 }, (_, index) =>
      running.client.analyze({ ...REQUEST, text: `fine ${index}` }),
    );
    await until(async () => (await counts("sentiment_requests_in_flight"))[""] === 2);
    held.release();
    assert.ok((await Promise.all(calls)).every(({ sentiment }) => sentiment));
  });

  const headersOf = (count: number, bytes: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`x-${index}`, "x".repeat(bytes)]),
    );

  it("metadata over 16 KB is METADATA_TOO_LARGE, and the stream is closed", async () => {
    await start();
    const failure = await failureOf((options) => {
      const metadata = Metadata(headersOf(20, 1000));
      return running.client.analyze(REQUEST, { ...options, metadata });
    });
    assert.deepEqual(
      [failure.code, failure.reason],
      [Status.RESOURCE_EXHAUSTED, "METADATA_TOO_LARGE"],
    );
    // One that does not end its side either.
    const open = request(session(), headersOf(100, 1000)).resume();
    const [headers] = await once(open, "response");
    assert.equal(headers["grpc-status"], String(Status.RESOURCE_EXHAUSTED));
    await once(open, "close");
    assert.deepEqual(await counts("sentiment_calls_cut_total"), { large_metadata: 2 });
    const most = Metadata(headersOf(15, 1000));
    assert.ok((await running.client.analyze(REQUEST, { metadata: most })).sentiment);
  });

  it("nothing is made of metadata that is too large, and of what nobody reads", async () => {
    await start();
    const connection = session();
    // Each piece between commas would be a Buffer, and a byte on the wire 3 KB of them: what is short enough is sent but once.
    const pieces = { "x-odd-bin": Array.from({ length: 100 }, () => ",".repeat(3000)) };
    const own = Object.fromEntries([["__proto__", "x".repeat(20_000)]]);
    for (const headers of [pieces, own]) {
      const call = request(connection, headers).resume();
      const [{ "grpc-status": status }] = await once(call, "response");
      assert.equal(status, String(Status.RESOURCE_EXHAUSTED));
    }
    assert.deepEqual(await counts("sentiment_calls_cut_total"), { large_metadata: 2 });
    const call = request(connection, { "x-odd-bin": "AA,,!" }).resume();
    call.end(FRAME);
    const [trailers] = await once(call, "trailers");
    assert.equal(trailers["grpc-status"], String(Status.OK));
  });

  it("1 MB of metadata is refused by HTTP/2, and the next call is answered", async () => {
    await start();
    for (const headers of [headersOf(1, 1_000_000), headersOf(1000, 1000)]) {
      const call = request(session(), headers).resume();
      call.on("response", () => assert.fail("it was answered"));
      await new Promise((resolve) => call.once("close", resolve));
      assert.notEqual(call.rstCode, constants.NGHTTP2_NO_ERROR);
      const channel = createChannel(running.app.address, undefined, {
        "grpc.use_local_subchannel_pool": 1,
      });
      opened.defer(() => channel.close());
      const client = createClient(SentimentServiceDefinition, channel);
      await assert.rejects(
        client.analyze(REQUEST, { metadata: Metadata(headers) }),
        (error) => error instanceof ClientError,
      );
      await answers();
    }
    assert.deepEqual(await counts("sentiment_requests_total"), {
      "Analyze sentiment.v1.SentimentService OK": 2,
    });
  });

  it("a connection that says nothing is closed", async () => {
    const clock = new FakeClock();
    await start({}, { clock });
    const silent = once(tcp(), "close");
    await until(async () => (await counts("sentiment_connections"))[""] === 1);
    clock.advance(10_000);
    await silent;
  });

  it("one that does not go on speaking is closed by KEEPALIVE_TIME and KEEPALIVE_TIMEOUT", async () => {
    await start({ KEEPALIVE_TIME: "1", KEEPALIVE_TIMEOUT: "1" });
    const socket = tcp();
    socket.write("PRI * HTTP/2.0\r\n");
    await once(socket, "close");
    const healthy = session();
    await once(healthy, "remoteSettings");
    await sleep(3000);
    assert.equal(healthy.destroyed, false);
  });

  it("MAX_CONNECTION_IDLE: a connection without calls is closed, and the client comes again", async () => {
    await start({ MAX_CONNECTION_IDLE: "1" });
    const connection = session();
    await once(connection, "goaway");
    await answers();
    await sleep(1500);
    await answers();
  });

  it("REQUEST_TIMEOUT: a request that does not arrive is ended with DEADLINE_EXCEEDED, and counted", async () => {
    await start({ REQUEST_TIMEOUT: "1" });
    const slow = request(session());
    slow.write(Buffer.from([0, 0, 0, 0, 100, 10]));
    const [headers] = await once(slow, "response");
    assert.equal(headers["grpc-status"], String(Status.DEADLINE_EXCEEDED));
    assert.deepEqual(await counts("sentiment_calls_cut_total"), { slow_request: 1 });
    // No fault of the server's: it never was a call.
    assert.deepEqual(await counts("sentiment_requests_total"), {});
  });

  it("a deadline may be as far away as gRPC can say", async () => {
    const held = await start({}, { isHeld: true });
    // Of the first three, in milliseconds, the lower 32 bits are negative.
    const timeouts = ["720H", "43200M", "2592000S", "99999999H"];
    const connection = session();
    const answers = timeouts.map(async (timeout) => {
      const call = request(connection, { "grpc-timeout": timeout });
      call.end(FRAME);
      const [headers] = await once(call, "response");
      assert.equal(headers["grpc-status"], undefined, timeout);
      const [trailers] = await once(call.resume(), "trailers");
      assert.equal(trailers["grpc-status"], String(Status.OK), timeout);
    });
    await sleep(100);
    held.release();
    await Promise.all(answers);
  });

  it("STREAM_IDLE_TIMEOUT: a silent stream is ended; a health watch never is", async () => {
    await start({ STREAM_IDLE_TIMEOUT: "1" });
    const channel = createChannel(running.app.address);
    opened.defer(() => channel.close());
    const leaving = new AbortController();
    const watching = (async () => {
      const health = createClient(HealthDefinition, channel);
      for await (const _ of health.watch({ service: "" }, { signal: leaving.signal }));
    })();
    async function* requests() {
      yield { id: "1", ...REQUEST };
      await new Promise(() => {});
    }
    const client = createClient(SentimentServiceDefinition, channel);
    const failure = await failureOf(async (options) => {
      for await (const _ of client.analyzeStream(requests(), options));
    });
    assert.deepEqual([failure.code, failure.reason], [Status.DEADLINE_EXCEEDED, "DEADLINE"]);
    await sleep(2000);
    assert.deepEqual(await counts("sentiment_requests_in_flight"), { "": 1 });
    assert.deepEqual(await counts("sentiment_calls_cut_total"), { silent_stream: 1 });
    assert.deepEqual(await counts("sentiment_requests_total"), {
      "AnalyzeStream sentiment.v1.SentimentService CANCELLED": 1,
    });
    leaving.abort();
    await assert.rejects(watching, { name: "AbortError" });
  });

  it("STREAM_IDLE_TIMEOUT: a reader that takes no answers is cut off", async () => {
    await start({ STREAM_IDLE_TIMEOUT: "1" });
    let sent = 0;
    async function* requests() {
      for (; sent < 20_000; sent++) yield { id: "x".repeat(128), ...REQUEST };
    }
    const stream = running.client.analyzeStream(requests())[Symbol.asyncIterator]();
    await stream.next();
    await until(async () => (await counts("sentiment_calls_cut_total"))["stopped_reader"] === 1);
    assert.ok(sent < 20_000, "all were read though no answer was taken");
    await until(async () => (await counts("sentiment_requests_in_flight"))[""] === undefined);
    await assert.rejects(
      async () => {
        while (!(await stream.next()).done);
      },
      { code: Status.RESOURCE_EXHAUSTED },
    );
    await answers();
  });
});
