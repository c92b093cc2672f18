import assert from "node:assert/strict";
import { createRegistry } from "../../../server/observe/metrics.js";
import { type RequestMetrics, requestMetrics } from "../../../server/observe/request-metrics.js";

describe("the metrics of requests", () => {
  let metrics: RequestMetrics;
  let registry: ReturnType<typeof createRegistry>;
  beforeEach(() => {
    registry = createRegistry();
    metrics = requestMetrics(registry);
  });
  const samples = async (name: string) =>
    (await registry.metrics()).split("\n").filter((line) => line.startsWith(name));

  it("begin faults at 0, so that the first one is an increase too", async () => {
    metrics.method("/a.Service/Call", false);
    const lines = await samples("sentiment_requests_total");
    for (const code of ["INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"])
      assert.ok(lines.some((line) => line.endsWith(`code="${code}"} 0`)));
  });

  it("count calls by code, and those under way", async () => {
    const call = metrics.method("/a.Service/Call", false);
    for (const code of ["OK", "OK", "CANCELLED"]) {
      call.began();
      call.ended(code, 1);
    }
    call.began();
    const counted = (await samples("sentiment_requests")).filter((line) => !line.endsWith(" 0"));
    assert.deepEqual(counted, [
      'sentiment_requests_total{method="Call",endpoint="a.Service",code="OK"} 2',
      'sentiment_requests_total{method="Call",endpoint="a.Service",code="CANCELLED"} 1',
      "sentiment_requests_in_flight 1",
    ]);
  });

  it("put their time into buckets, streams left out", async () => {
    metrics.method("/a.Service/Call", false).ended("OK", 100);
    metrics.method("/a.Service/Stream", true).ended("OK", 100);
    const labels = 'method="Call",endpoint="a.Service"';
    const name = "sentiment_request_duration_seconds";
    const lines = await samples(name);
    assert.ok(lines.includes(`${name}_bucket{le="0.05",${labels}} 0`));
    assert.ok(lines.includes(`${name}_bucket{le="0.1",${labels}} 1`));
    assert.ok(lines.includes(`${name}_sum{${labels}} 0.1`));
    assert.ok(!lines.some((line) => line.includes("Stream")));
  });

  it("count texts by what came of them, and answers by label", async () => {
    const model = { name: "fast" };
    metrics.answered("Analyze", { model, label: "neutral", confidence: 0.65 });
    metrics.answered("AnalyzeBatch", { model, label: "neutral", confidence: 0.9 });
    metrics.failed("AnalyzeBatch", "TEXT_EMPTY", 2);
    assert.deepEqual(await samples("sentiment_texts_total"), [
      'sentiment_texts_total{method="Analyze",outcome="ok"} 1',
      'sentiment_texts_total{method="AnalyzeBatch",outcome="ok"} 1',
      'sentiment_texts_total{method="AnalyzeBatch",outcome="TEXT_EMPTY"} 2',
    ]);
    assert.deepEqual(await samples("sentiment_label_total"), [
      'sentiment_label_total{model="fast",label="negative"} 0',
      'sentiment_label_total{model="fast",label="neutral"} 2',
      'sentiment_label_total{model="fast",label="positive"} 0',
    ]);
    const confidence = await samples("sentiment_confidence_bucket");
    assert.ok(confidence.includes('sentiment_confidence_bucket{le="0.7",model="fast"} 1'));
    assert.ok(confidence.includes('sentiment_confidence_bucket{le="0.9",model="fast"} 2'));
  });

  it("count what the cascade decides, from 0", async () => {
    metrics.decided("accurate", 2);
    assert.deepEqual(await samples("sentiment_cascade_total"), [
      'sentiment_cascade_total{outcome="fast"} 0',
      'sentiment_cascade_total{outcome="accurate"} 2',
    ]);
  });
});
