import assert from "node:assert/strict";
import { type Channel, createChannel, createClient, Metadata } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { keyFolder } from "../support/key-folder.js";
import { countsOf, scrape } from "../support/scrape.js";
import { type ServerProcess, startServer } from "../support/server-process.js";
import { silentListener } from "../support/silent-listener.js";
import { type ReceivedSpan, receiveSpans, type SpanReceiver } from "../support/span-receiver.js";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const SECRET = "Xylophones are a wonderful hobby";
const SERVER = 2;
const CLIENT = 3;
const ANALYZE = "sentiment.v1.SentimentService/Analyze";
const ENV = { MAX_WORKERS: "1", WARM_UP_FILE: "/dev/null", MODEL_REPOSITORY: "triton-model-repo" };

const request = (text: string) => ({ text, tier: Tier.TIER_FAST, options: undefined });
const traced = (flags: string) => ({
  metadata: Metadata({ traceparent: `00-${TRACE_ID}-${PARENT}-${flags}` }),
});
const isOfTrace = ({ traceId }: ReceivedSpan) => traceId === TRACE_ID;

describe("tracing", function () {
  this.timeout(30_000);
  let receiver: SpanReceiver;
  let server: ServerProcess;
  let channel: Channel;
  let client: SentimentServiceClient;

  const serve = async (env: Readonly<Record<string, string>> = {}) => {
    server = await startServer({ ...ENV, ...receiver.env, ...env });
    channel = createChannel(server.address);
    client = createClient(SentimentServiceDefinition, channel);
  };
  const spansCounted = async () =>
    countsOf(await scrape(server.opsAddress), "sentiment_spans_total");
  beforeEach(async () => {
    receiver = await receiveSpans();
  });
  afterEach(async () => {
    channel.close();
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it("tells each step of a call, within its caller's trace", async () => {
    await serve();
    await client.analyze(request(SECRET), traced("01"));
    await receiver.until(1, ({ name }) => name === ANALYZE);
    const spans = receiver.spans.filter(isOfTrace);
    const byName = new Map(spans.map((span) => [span.name, span]));
    const call = byName.get(ANALYZE);
    assert.equal(call?.parentSpanId, PARENT);
    assert.equal(call.kind, SERVER);
    assert.equal(call.attributes["sentiment.tier"], "fast");
    assert.match(String(call.attributes["sentiment.model_version"]), /^1\+embedded\./);
    const steps = ["authenticate", "cache.text", "join", "tokenize", "cache.reading", "queue"];
    for (const name of [...steps, "batch", "verdict", "cache.write"])
      assert.equal(byName.get(name)?.parentSpanId, call.spanId, name);
    const [batch, infer] = [byName.get("batch"), byName.get("infer")];
    assert.equal(infer?.parentSpanId, batch?.spanId);
    assert.equal(infer?.kind, CLIENT);
    assert.equal(infer?.attributes["sentiment.model"], "sentiment_fast");
    assert.equal(batch?.attributes["sentiment.batch_rows"], 1);
    assert.equal(batch?.attributes["sentiment.padding_ratio"], 0);
    assert.equal(batch?.attributes["sentiment.bucket_tokens"], 10);
    assert.equal(byName.get("tokenize")?.attributes["sentiment.tokens"], 8);
    assert.equal(byName.get("cache.text")?.attributes["sentiment.hits"], 0);

    await client.analyze(request(SECRET), traced("01"));
    const [, again] = await receiver.until(2, ({ name }) => name === ANALYZE);
    assert.equal(again?.attributes["sentiment.memory_hits"], 1);
    assert.ok(receiver.bodies.length > 0);
    for (const body of receiver.bodies) assert.ok(!body.toLowerCase().includes("xylophone"));
  });

  it("has no step for who calls where all may", async () => {
    await serve();
    await createClient(HealthDefinition, channel).check({ service: "" }, traced("01"));
    await client.analyze(request("fine"), traced("01"));
    await receiver.until(1, ({ name }) => name === ANALYZE);
    const steps = receiver.spans.filter(({ name }) => name === "authenticate");
    const call = receiver.spans.find(({ name }) => name === ANALYZE);
    assert.deepEqual(
      steps.map(({ parentSpanId }) => parentSpanId),
      [call?.spanId],
    );
  });

  it("links a batch to every call in it", async () => {
    await serve();
    const texts = Array.from({ length: 100 }, (_, number) => `the film number ${number} is fine`);
    await Promise.all(texts.map((one) => client.analyze(request(one))));
    const calls = await receiver.until(100, ({ name }) => name === ANALYZE);
    const batches = receiver.spans.filter(({ name }) => name === "batch");
    for (const { links, attributes } of batches)
      assert.equal(links.length, attributes["sentiment.batch_rows"]);
    const linked = batches.flatMap(({ links }) => links.map(({ spanId }) => spanId)).sort();
    assert.deepEqual(linked, calls.map(({ spanId }) => spanId).sort());
    assert.ok(Math.max(...batches.map(({ links }) => links.length)) >= 8);
  });

  it("tells why a call failed, without what was asked", async () => {
    await serve();
    await assert.rejects(client.analyze(request("  ")));
    const [call] = await receiver.until(1, ({ name }) => name === ANALYZE);
    // What the caller did wrong is no error of the server's.
    assert.equal(call?.status?.code ?? 0, 0);
    assert.equal(call?.attributes["error.type"], "TEXT_EMPTY");
    assert.equal(call?.attributes["rpc.grpc.status_code"], 3);
    assert.equal(call?.attributes["rpc.method"], "Analyze");
  });

  it("tells of a call that was not let in, by the step that refused it", async () => {
    await using folder = await keyFolder();
    await addNewKey(folder.file, "team-a", ["analyze"]);
    await serve({ API_KEYS_FILE: folder.file });
    await assert.rejects(client.analyze(request("fine"), traced("01")));
    const [step] = await receiver.until(1, ({ name }) => name === "authenticate");
    assert.deepEqual(step?.status, { code: 2, message: "KEY_MISSING" });
    const [call] = await receiver.until(1, ({ name }) => name === ANALYZE);
    assert.equal(call?.attributes["error.type"], "KEY_MISSING");
  });

  it("makes each text of a stream a trace of its own", async () => {
    await serve();
    const requests = ["fine", "good"].map((text, number) => ({
      id: String(number),
      text,
      tier: Tier.TIER_FAST,
      options: undefined,
    }));
    const ask = async function* () {
      yield* requests;
    };
    for await (const _ of client.analyzeStream(ask(), traced("01")));
    const [call] = await receiver.until(1, ({ name }) => name.endsWith("/AnalyzeStream"));
    const texts = await receiver.until(2, ({ name }) => name.endsWith("/AnalyzeStream text"));
    assert.equal(new Set([call, ...texts].map((span) => span?.traceId)).size, 3);
    for (const { links } of texts) assert.deepEqual(links[0]?.spanId, call?.spanId);
  });

  it("leaves out what the caller or the sampler leaves out", async () => {
    await serve({ OTEL_TRACES_SAMPLER: "parentbased_always_off" });
    await client.analyze(request("left out"));
    await client.analyze(request("left out too"), traced("00"));
    await client.analyze(request("but this is traced"), traced("01"));
    await receiver.until(1, ({ name }) => name === ANALYZE);
    assert.ok(receiver.spans.every(isOfTrace));
    assert.equal(receiver.spans.filter(({ name }) => name === ANALYZE).length, 1);
  });

  it("answers as ever while the collector hangs, counts the spans that it costs, and stops in time", async () => {
    await using silent = await silentListener();
    await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${silent.port}`,
      OTEL_BSP_MAX_QUEUE_SIZE: "20",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
    });
    for (let number = 0; number < 20; number++)
      await client.analyze(request(`a film of ${number} hours`));
    assert.ok(((await spansCounted())["dropped"] ?? 0) > 0);
    const startedMs = Date.now();
    server.child.kill("SIGTERM");
    const { code } = await server.ended;
    assert.equal(code, 0);
    assert.ok(Date.now() - startedMs < 10_000);
  });

  it("counts the spans that a collector has taken, and names the trace of a slow call beside its bucket", async () => {
    await serve();
    await client.analyze(request("it has an answer"));
    await receiver.until(1, ({ name }) => name === ANALYZE);
    const { exported = 0 } = await spansCounted();
    assert.ok(exported >= 10);
    const metrics = await (await fetch(`http://${server.opsAddress}/metrics`)).text();
    const { traceId } = receiver.spans.find(({ name }) => name === ANALYZE) ?? {};
    const bucket = /^sentiment_request_duration_seconds_bucket\{.* # \{trace_id="(\w+)"\} /m;
    assert.equal(bucket.exec(metrics)?.[1], traceId);
  });
});
