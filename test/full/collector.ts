import assert from "node:assert/strict";
import { type Channel, createChannel, createClient, Metadata } from "nice-grpc";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { startCollector } from "../support/collector.js";
import { startRedis } from "../support/redis-server.js";
import { startServer } from "../support/server-process.js";
import { type ReceivedSpan, receiveSpans, type SpanReceiver } from "../support/span-receiver.js";
import { startTriton } from "../support/triton-server.js";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const ANALYZE = "sentiment.v1.SentimentService/Analyze";
const MODELS = ["sentiment_fast"];
const request = (text: string) => ({ text, tier: Tier.TIER_FAST, options: undefined });

/** What a span is a part of, up to the outermost one that has come. */
function pathOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): readonly string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent === undefined ? [] : pathOf(parent, spans)), span.name];
}

describe("a real OpenTelemetry collector", function () {
  this.timeout(60_000);
  const left = new AsyncDisposableStack();
  let receiver: SpanReceiver;
  let channel: Channel;
  let client: SentimentServiceClient;
  before(async () => {
    receiver = left.use(await receiveSpans());
    const { env, httpPort } = left.use(
      await startCollector(receiver.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? ""),
    );
    const redis = left.use(await startRedis());
    const triton = left.use(
      await startTriton({
        models: MODELS,
        args: [
          "--trace-config=mode=opentelemetry",
          "--trace-config=level=TIMESTAMPS",
          "--trace-config=rate=1",
          `--trace-config=opentelemetry,url=http://127.0.0.1:${httpPort}/v1/traces`,
          "--trace-config=opentelemetry,resource=service.name=triton",
          "--trace-config=opentelemetry,bsp_schedule_delay=200",
        ],
      }),
    );
    const server = left.use(
      await startServer({
        BACKEND: "triton",
        TRITON_URL: triton.url,
        REDIS_URL: redis.url,
        MODEL_REPOSITORY: "triton-model-repo",
        PREFETCH_MODELS: "false",
        DEFAULT_TIER: "fast",
        WARM_UP_FILE: "/dev/null",
        ...env,
      }),
    );
    channel = createChannel(server.address);
    left.defer(() => channel.close());
    client = createClient(SentimentServiceDefinition, channel);
  });
  after(() => left.disposeAsync());

  it("gets one trace of a call from its client over Redis and the batch to Triton", async () => {
    await client.analyze(request("it takes a while to love it"), {
      metadata: Metadata({ traceparent: `00-${TRACE_ID}-${PARENT}-01` }),
    });
    const ofTrace = ({ traceId }: ReceivedSpan) => traceId === TRACE_ID;
    await receiver.until(1, (span) => ofTrace(span) && span.name === ANALYZE);
    // Triton's own come by themselves.
    await receiver.until(1, (span) => ofTrace(span) && span.name === "compute");
    const spans = receiver.spans.filter(ofTrace);
    const named = (name: string) => spans.find((span) => span.name === name);
    assert.equal(named(ANALYZE)?.parentSpanId, PARENT);
    const redis = named("cache.redis");
    assert.deepEqual(redis && pathOf(redis, spans), [ANALYZE, "cache.redis"]);
    assert.equal(redis?.attributes["sentiment.hits"], 0);
    const compute = named("compute");
    const path = compute ? pathOf(compute, spans) : [];
    assert.deepEqual(path.slice(0, 3), [ANALYZE, "batch", "infer"]);
    assert.ok(path.length >= 5, `${path}`);
  });

  it("gets a batch that is linked to 32 calls", async () => {
    const texts = Array.from({ length: 400 }, (_, number) => `${number} reasons to see it`);
    await Promise.all(texts.map((text) => client.analyze(request(text))));
    const calls = await receiver.until(401, ({ name }) => name === ANALYZE);
    const batches = receiver.spans.filter(({ name }) => name === "batch");
    const large = batches.filter(({ links }) => links.length >= 32);
    assert.ok(large.length > 0, `${batches.map(({ links }) => links.length)}`);
    const known = new Set(calls.map(({ spanId }) => spanId));
    for (const { links } of batches) assert.ok(links.every(({ spanId }) => known.has(spanId)));
  });
});
