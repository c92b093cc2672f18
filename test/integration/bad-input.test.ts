import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import {
  Client,
  status as Code,
  credentials,
  type Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { Status } from "../../server/gen/google/rpc/status.js";
import {
  AnalyzeBatchResponse,
  AnalyzeResponse,
  type LongText,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { detailsOf, failureOf } from "../support/status-details.js";
import { callHeaders } from "../support/transport-clients.js";

const SERVICE = "/sentiment.v1.SentimentService";
const LENGTH_DELIMITED = 2;

/** A protobuf field of bytes, as it goes over the wire. */
const field = (number: number, value: Uint8Array | string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | LENGTH_DELIMITED, bytes.length]), bytes]);
};

/** A length of up to 2 MB, as it goes before a field. */
const lengthOf = ({ length }: Uint8Array) =>
  Buffer.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);

describe("bad input", function () {
  this.timeout(20_000);
  let running: RunningApp;
  let raw: Client;
  before(async () => {
    running = await runApp({ MAX_INPUT_LENGTH: "50" });
    raw = new Client(running.app.address, credentials.createInsecure());
  });
  after(async () => {
    raw.close();
    await running[Symbol.asyncDispose]();
  });
  // Whatever was sent, the next caller is answered.
  afterEach(async () => {
    const request = { text: "still fine", tier: Tier.TIER_FAST, options: undefined };
    assert.ok((await running.client.analyze(request)).sentiment);
  });

  /** Sends bytes as they are; resolves with the reply's bytes. */
  const send = (method: string, message: Buffer, service = SERVICE) =>
    new Promise<Buffer>((resolve, reject) => {
      const same = (bytes: Buffer) => bytes;
      raw.makeUnaryRequest(`${service}/${method}`, same, same, message, (error, reply) =>
        error ? reject(error) : resolve(reply ?? Buffer.alloc(0)),
      );
    });
  const rawFailure = async (method: string, message: Buffer) => {
    const error = await send(method, message).then(
      () => assert.fail("the call was answered"),
      (reason: ServiceError) => reason,
    );
    const [details] = (error.metadata as Metadata).get("grpc-status-details-bin");
    return {
      code: error.code,
      reason: details && detailsOf(Status.decode(details as Buffer)).reason,
    };
  };

  const cases: readonly [string, string, Tier, string][] = [
    ["an empty text", "", Tier.TIER_FAST, "TEXT_EMPTY"],
    ["white space alone", " \t\r\n\u00a0\u2003\u3000", Tier.TIER_FAST, "TEXT_EMPTY"],
    ["a text of 51 characters", "😀".repeat(51), Tier.TIER_FAST, "TEXT_TOO_LONG"],
    ["an unknown tier", "fine", 99 as Tier, "TIER_UNKNOWN"],
  ];
  for (const [what, text, tier, reason] of cases) {
    it(`${what} is INVALID_ARGUMENT with the reason ${reason}`, async () => {
      const failure = await failureOf((call) =>
        running.client.analyze({ text, tier, options: undefined }, call),
      );
      assert.equal(failure.code, Code.INVALID_ARGUMENT);
      assert.equal(failure.reason, reason);
      assert.equal(failure.domain, "sentiment.v1");
      assert.equal(failure.fields.length, 1);
    });
  }

  it("a text of 50 emoji is within the limit of 50 characters", async () => {
    const request = { text: "😀".repeat(50), tier: Tier.TIER_FAST, options: undefined };
    assert.ok((await running.client.analyze(request)).sentiment);
  });

  for (const [count, reason] of [
    [101, "BATCH_TOO_LARGE"],
    [0, "BATCH_EMPTY"],
  ] as const) {
    it(`a batch of ${count} texts is refused as a whole: ${reason}`, async () => {
      const texts = Array.from({ length: count }, () => "fine");
      const failure = await failureOf((call) =>
        running.client.analyzeBatch({ texts, tier: Tier.TIER_FAST, options: undefined }, call),
      );
      assert.equal(failure.code, Code.INVALID_ARGUMENT);
      assert.equal(failure.reason, reason);
      assert.deepEqual(failure.fields, ["texts"]);
    });
  }

  it("invalid UTF-8 on the wire is TEXT_NOT_UTF8, whatever its length", async () => {
    for (const length of [1, 8, 40]) {
      const failure = await rawFailure("Analyze", field(1, Buffer.alloc(length, 0xff)));
      assert.deepEqual(failure, { code: Code.INVALID_ARGUMENT, reason: "TEXT_NOT_UTF8" });
    }
  });

  it("an encoded surrogate is not UTF-8 either", async () => {
    const failure = await rawFailure("Analyze", field(1, Buffer.from([0xed, 0xa0, 0x80, 0x41])));
    assert.equal(failure.reason, "TEXT_NOT_UTF8");
  });

  it("invalid UTF-8 in a batch fails its own text only", async () => {
    const message = Buffer.concat([
      field(1, "I love it"),
      field(1, Buffer.from([0xc3, 0x28])),
      field(1, "\ufffd is a real character"),
    ]);
    const { results } = AnalyzeBatchResponse.decode(await send("AnalyzeBatch", message));
    assert.deepEqual(
      results.map(({ error }) => error && detailsOf(error).reason),
      [undefined, "TEXT_NOT_UTF8", undefined],
    );
  });

  it("fields that the server does not know are passed over", async () => {
    const message = Buffer.concat([field(1, "I love it"), field(15, "from the future")]);
    assert.ok(AnalyzeResponse.decode(await send("Analyze", message)).sentiment);
  });

  it("bytes that are no protobuf message fail the call alone", async () => {
    const failure = await rawFailure("Analyze", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f, 0x41]));
    assert.equal(failure.code, Code.INTERNAL);
  });

  it("a health check of a name that is no text, or endless, is NOT_FOUND in few words", async () => {
    for (const name of [Buffer.of(0xff), Buffer.alloc(1000, "x")]) {
      const message = Buffer.concat([Buffer.of(0x0a), lengthOf(name), name]);
      const error = await send("Check", message, "/grpc.health.v1.Health").then(
        () => assert.fail("the call was answered"),
        (reason: ServiceError) => reason,
      );
      assert.equal(error.code, Code.NOT_FOUND);
      assert.ok(error.details.length < 1100, `${error.details.length} characters`);
    }
  });

  const OPEN = [
    ["/grpc.health.v1.Health", "Check"],
    ["/grpc.health.v1.Health", "Watch"],
    ["/inference.GRPCInferenceService", "ServerLive"],
    ["/inference.GRPCInferenceService", "ServerReady"],
    ["/inference.GRPCInferenceService", "ModelReady"],
  ] as const;

  it("of what needs no key no more than 1 KB is taken, compressed or not, whole or not", async () => {
    const name = Buffer.alloc(60_000, "x");
    const message = Buffer.concat([Buffer.of(0x0a), lengthOf(name), name]);
    const headOf = (flag: number, length: number) => {
      const head = Buffer.alloc(5, flag);
      head.writeUInt32BE(length, 1);
      return head;
    };
    const zipped = gzipSync(message);
    const frames = {
      whole: Buffer.concat([headOf(0, message.length), message]),
      "its beginning": headOf(0, message.length),
      compressed: Buffer.concat([headOf(1, zipped.length), zipped]),
    };
    const connection = connect(`http://${running.app.address}`);
    try {
      for (const [service, method] of OPEN)
        for (const [what, frame] of Object.entries(frames)) {
          const call = connection.request({
            ...callHeaders(method),
            ":path": `${service}/${method}`,
            "grpc-encoding": what === "compressed" ? "gzip" : "identity",
          });
          call.on("error", () => {}).write(frame);
          const [headers] = await once(call, "response");
          assert.equal(headers["grpc-status"], `${Code.RESOURCE_EXHAUSTED}`, `${method}, ${what}`);
          call.close();
        }
    } finally {
      connection.destroy();
    }
  });

  it("a message over the size limit is RESOURCE_EXHAUSTED", async () => {
    const failure = await rawFailure("Analyze", Buffer.alloc(200_000));
    assert.equal(failure.code, Code.RESOURCE_EXHAUSTED);
  });

  it("an unknown long_text option is OPTION_UNKNOWN", async () => {
    const options = { explain: false, sentences: false, skipCache: false, longText: 9 as LongText };
    const failure = await failureOf((call) =>
      running.client.analyze({ text: "fine", tier: Tier.TIER_FAST, options }, call),
    );
    assert.equal(failure.reason, "OPTION_UNKNOWN");
  });
});

describe("a client that has only the proto files", function () {
  this.timeout(20_000);

  it("is answered through @grpc/proto-loader", async () => {
    const { loadPackageDefinition } = await import("@grpc/grpc-js");
    const { loadSync } = await import("@grpc/proto-loader");
    const proto = fileURLToPath(
      new URL(`file://${process.cwd()}/proto/sentiment/v1/sentiment.proto`),
    );
    const options = { includeDirs: ["proto"], enums: String, keepCase: true };
    // biome-ignore lint/suspicious/noExplicitAny: proto-loader makes its classes at run time, without types
    const loaded = loadPackageDefinition(loadSync(proto, options)) as any;
    await using running = await runApp();
    const client = new loaded.sentiment.v1.SentimentService(
      running.app.address,
      credentials.createInsecure(),
    );
    const answer = await new Promise<{ sentiment: { label: string } }>((resolve, reject) => {
      client.Analyze(
        { text: "I love it", tier: "TIER_FAST" },
        (error: Error | null, reply: { sentiment: { label: string } }) =>
          error ? reject(error) : resolve(reply),
      );
    });
    assert.equal(answer.sentiment.label, "LABEL_POSITIVE");
    client.close();
  });
});
