/** What goes through nginx with the recommended files, both ways, as it would go to the server or the REST bridge itself. Needs `make gateway` before. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { request as post } from "node:https";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { Metadata, Status } from "nice-grpc";
import { AnalyzeRequest, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { type Fleet, startFleet } from "../support/fleet.js";
import { type HttpsClient, httpsClient } from "../support/https-client.js";
import { receiveSpans, type SpanReceiver } from "../support/span-receiver.js";
import { detailsOf, failureOf } from "../support/status-details.js";
import { callHeaders, type TlsClient, tlsClient } from "../support/transport-clients.js";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const ANALYZE = "sentiment.v1.SentimentService/Analyze";
const MEGABYTE = 1_000_000;
const STREAM = "/api/analyze/stream";
const request = (text: string) => ({ text, tier: Tier.TIER_FAST, options: undefined });

interface TwoWays {
  readonly out: Writable;
  readonly answer: Promise<Readable>;
}

describe("through nginx", function () {
  this.timeout(60_000);
  let left: AsyncDisposableStack;
  let receiver: SpanReceiver;
  let fleet: Fleet;
  let grpc: TlsClient;
  let rest: HttpsClient;
  let ca: Buffer;

  before(async () => {
    left = new AsyncDisposableStack();
    receiver = left.use(await receiveSpans());
    fleet = left.use(await startFleet({ servers: 1, bridges: 1, env: receiver.env }));
    const { secureAddress, certificate } = fleet.nginx;
    grpc = await tlsClient(secureAddress, certificate);
    left.defer(() => grpc.channel.close());
    rest = left.use(await httpsClient(secureAddress, certificate.cert));
    ca = await readFile(certificate.cert);
  });
  after(() => left.disposeAsync());

  /** By HTTP/2 itself. */
  function http2Request(headers: Readonly<Record<string, string>>): ClientHttp2Stream {
    const connection = connect(`https://${fleet.nginx.secureAddress}`, { ca });
    left.defer(() => connection.destroy());
    return connection.request(headers);
  }

  /** A POST to the stream, and what comes back. */
  function byHttp2(): TwoWays {
    const out = http2Request({ ":method": "POST", ":path": STREAM });
    return { out, answer: Promise.resolve(out) };
  }
  function byHttp1(): TwoWays {
    const out = post(`https://${fleet.nginx.secureAddress}${STREAM}`, { method: "POST", ca });
    return { out, answer: once(out, "response").then(([answer]) => answer) };
  }

  it("calls keep their traces", async () => {
    await grpc.client.analyze(request("Traced by gRPC."), {
      metadata: Metadata({ traceparent: TRACEPARENT }),
    });
    const body = JSON.stringify({ text: "Traced by REST." });
    await rest.ask("/api/analyze", body, { headers: { traceparent: TRACEPARENT } });
    await receiver.until(2, ({ name, traceId }) => name === ANALYZE && traceId === TRACE_ID);
  });

  it("calls keep their deadlines: server and bridge say that they are over", async () => {
    const late = { "grpc-timeout": "1n" };
    const call = http2Request({ ...callHeaders("Analyze"), ...late });
    call.end(framed(AnalyzeRequest.encode(request("late")).finish()));
    const [headers]: IncomingHttpHeaders[] = await once(call, "response");
    assert.equal(headers?.["grpc-status"], String(Status.DEADLINE_EXCEEDED));
    const { status, body } = await rest.ask("/api/analyze", '{"text":"late"}', { headers: late });
    assert.equal(status, 504);
    assert.match(body, /"DEADLINE"/);
  });

  it("metadata that is too large is refused in the server's words", async () => {
    const metadata = Metadata({ "x-api-key": "a".repeat(20_000) });
    const { reason } = await failureOf((options) =>
      grpc.client.analyze(request("fine"), { metadata, ...options }),
    );
    assert.equal(reason, "METADATA_TOO_LARGE");
    const headers = { "x-api-key": "a".repeat(20_000) };
    const { status, body } = await rest.ask("/api/models", undefined, { headers });
    assert.equal(status, 431);
    assert.match(body, /METADATA_TOO_LARGE/);
  });

  it("AnalyzeStream answers while it is asked, and may be longer than any call", async () => {
    const asked = Promise.withResolvers<void>();
    const large = Array.from({ length: 11 }, (_, place) => `large ${place}`);
    async function* texts() {
      yield { id: "first", ...request("fine") };
      await asked.promise;
      for (const id of large) yield { id, ...request("a".repeat(MEGABYTE)) };
    }
    const answers: string[] = [];
    for await (const { id, sentiment, error } of grpc.client.analyzeStream(texts())) {
      answers.push(id);
      if (sentiment) asked.resolve();
      else assert.equal(error && detailsOf(error).reason, "TEXT_TOO_LONG");
    }
    assert.deepEqual(answers.sort(), ["first", ...large].sort());
  });

  for (const version of ["HTTP/1.1", "HTTP/2"] as const)
    it(`/api/analyze/stream answers while it is asked by ${version}`, async () => {
      const { out, answer } = version === "HTTP/2" ? byHttp2() : byHttp1();
      out.write(lineOf("first"));
      const lines = createInterface({ input: await answer })[Symbol.asyncIterator]();
      assert.match((await lines.next()).value ?? "", /"first".*"LABEL_/);
      out.end(lineOf("second"));
      assert.match((await lines.next()).value ?? "", /"second".*"LABEL_/);
      assert.deepEqual(await lines.next(), { done: true, value: undefined });
    });

  it("the console is there, and sees no numbers of all traffic", async () => {
    const { status, body } = await rest.ask("/");
    assert.equal(status, 200);
    assert.match(body, /<html/i);
    assert.deepEqual(JSON.parse((await rest.ask("/api/live")).body), { live: null });
    assert.equal((await rest.ask("/health")).status, 200);
  });

  it("JSON is compressed", async () => {
    const asked = http2Request({ ":path": "/openapi.json", "accept-encoding": "gzip" });
    const [headers]: IncomingHttpHeaders[] = await once(asked, "response");
    assert.equal(headers?.["content-encoding"], "gzip");
    assert.ok(JSON.parse(gunzipSync(await buffer(asked)).toString()).paths);
  });
});

/** As gRPC sends a message. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const lineOf = (id: string) => `${JSON.stringify({ id, text: "It works.", tier: "TIER_FAST" })}\n`;
