import assert from "node:assert/strict";
import type { Readings } from "../../../server/observe/gauges.js";
import { createMetrics, createRegistry } from "../../../server/observe/metrics.js";
import { NO_READINGS } from "./some-readings.js";

/** A registry with all metrics, their recorders, and the sample lines of a scrape that are about one name. */
function measured(readings: Partial<Readings> = {}) {
  const registry = createRegistry();
  const metrics = createMetrics(registry, { ...NO_READINGS, ...readings });
  const samples = async (name: string) =>
    (await registry.metrics())
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return { registry, metrics, samples };
}

describe("metrics", () => {
  it("have the names of the contract, each with help", async () => {
    const { registry } = measured();
    const types = Object.fromEntries(
      (await registry.getMetricsAsJSON()).map(({ name, type, help }) => {
        assert.ok(help.length > 10, name);
        return [name, type];
      }),
    );
    assert.deepEqual(types, {
      sentiment_backend_up: "gauge",
      sentiment_memory_usage_bytes: "gauge",
      sentiment_cache_hit_rate: "gauge",
      sentiment_cache_lookups_total: "counter",
      sentiment_cache_writes_total: "counter",
      sentiment_cache_trimmed_total: "counter",
      sentiment_model_loaded: "gauge",
      sentiment_model_loads_total: "counter",
      sentiment_model_unloads_total: "counter",
      sentiment_stand_by_total: "counter",
      sentiment_shadow_total: "counter",
      sentiment_shadow_score_distance: "histogram",
      sentiment_spans_total: "counter",
      sentiment_canary_total: "counter",
      sentiment_requests_total: "counter",
      sentiment_request_duration_seconds: "histogram",
      sentiment_requests_in_flight: "gauge",
      sentiment_texts_total: "counter",
      sentiment_label_total: "counter",
      sentiment_confidence: "histogram",
      sentiment_cascade_total: "counter",
      sentiment_shed_total: "counter",
      sentiment_quota_tokens_total: "counter",
      sentiment_quota_syncs_total: "counter",
      sentiment_model_inference_seconds: "histogram",
      sentiment_queue_seconds: "histogram",
      sentiment_queue_rows: "gauge",
      sentiment_queue_tokens: "gauge",
      sentiment_batch_rows: "histogram",
      sentiment_padding_ratio: "histogram",
      sentiment_tokenize_seconds: "histogram",
      sentiment_text_tokens: "histogram",
      sentiment_tokens_total: "counter",
      sentiment_unknown_tokens_total: "counter",
      sentiment_truncated_total: "counter",
      sentiment_cpu_usage_percent: "gauge",
      sentiment_memory_limit_bytes: "gauge",
      sentiment_build_info: "gauge",
      sentiment_connections: "gauge",
      sentiment_connections_refused_total: "counter",
      sentiment_calls_cut_total: "counter",
      sentiment_certificate_expiry_timestamp_seconds: "gauge",
    });
  });

  it("tell of connections, and of a certificate only where there is one", async () => {
    const { metrics, samples } = measured();
    const { transport } = metrics;
    const EXPIRY = "sentiment_certificate_expiry_timestamp_seconds";
    assert.deepEqual(await samples(EXPIRY), []);
    for (const one of ["opened", "opened", "closed", "refused"] as const) transport[one]();
    transport.cut("silent_stream");
    transport.certificateUntil(1_800_000_000_500);
    assert.deepEqual(await samples("sentiment_connections"), ["sentiment_connections 1"]);
    assert.deepEqual(await samples("sentiment_connections_refused_total"), [
      "sentiment_connections_refused_total 1",
    ]);
    assert.deepEqual(await samples("sentiment_calls_cut_total"), [
      'sentiment_calls_cut_total{reason="large_metadata"} 0',
      'sentiment_calls_cut_total{reason="too_many_streams"} 0',
      'sentiment_calls_cut_total{reason="large_requests"} 0',
      'sentiment_calls_cut_total{reason="slow_request"} 0',
      'sentiment_calls_cut_total{reason="silent_stream"} 1',
      'sentiment_calls_cut_total{reason="stopped_reader"} 0',
    ]);
    assert.deepEqual(await samples(EXPIRY), [`${EXPIRY} 1800000000.5`]);
  });

  it("count what they are told, by its labels", async () => {
    const { metrics, samples } = measured();
    metrics.modelLoaded("fast");
    metrics.modelLoaded("fast");
    metrics.modelUnloaded("fast", "memory");
    metrics.modelUnloaded("fast", "admin");
    metrics.modelUnloaded("accurate", "cache_size");
    metrics.shadowed("fast", "agree");
    metrics.shadowed("fast", "flip");
    metrics.shadowed("fast", "flip");
    metrics.canaried("fast", "2");
    assert.deepEqual(await samples("sentiment_model_loads_total"), [
      'sentiment_model_loads_total{model="fast"} 2',
    ]);
    assert.deepEqual(await samples("sentiment_model_unloads_total"), [
      'sentiment_model_unloads_total{model="fast",cause="memory"} 1',
      'sentiment_model_unloads_total{model="fast",cause="admin"} 1',
      'sentiment_model_unloads_total{model="accurate",cause="cache_size"} 1',
    ]);
    assert.deepEqual(await samples("sentiment_shadow_total"), [
      'sentiment_shadow_total{model="fast",outcome="agree"} 1',
      'sentiment_shadow_total{model="fast",outcome="flip"} 2',
    ]);
    assert.deepEqual(await samples("sentiment_canary_total"), [
      'sentiment_canary_total{model="fast",version="2"} 1',
    ]);
  });

  it("tell of a stand-by that has not been needed: 0", async () => {
    const { metrics, samples } = measured();
    metrics.stoodBy("primary_failed");
    assert.deepEqual(await samples("sentiment_stand_by_total"), [
      'sentiment_stand_by_total{outcome="primary_down"} 0',
      'sentiment_stand_by_total{outcome="primary_failed"} 1',
    ]);
  });

  it("count what was charged to quotas and refused for them: 0 from the start", async () => {
    const { metrics, samples } = measured();
    metrics.quotaTokens("charged", 12.5);
    metrics.quotaSynced("alone");
    assert.deepEqual(await samples("sentiment_quota_tokens_total"), [
      'sentiment_quota_tokens_total{outcome="charged"} 12.5',
      'sentiment_quota_tokens_total{outcome="refused"} 0',
      'sentiment_quota_tokens_total{outcome="shadow_refused"} 0',
    ]);
    assert.deepEqual(await samples("sentiment_quota_syncs_total"), [
      'sentiment_quota_syncs_total{outcome="shared"} 0',
      'sentiment_quota_syncs_total{outcome="alone"} 1',
    ]);
  });

  it("put distances of scores into buckets from 0 to 2", async () => {
    const { metrics, samples } = measured();
    for (const distance of [0, 0.3, 2]) metrics.shadowDistance("fast", distance);
    const counts = (await samples("sentiment_shadow_score_distance_bucket")).map((line) =>
      line.replace(/^.*le="([^"]+)".* (\d+)$/, "$1: $2"),
    );
    assert.deepEqual(counts, [
      "0.01: 1",
      "0.02: 1",
      "0.05: 1",
      "0.1: 1",
      "0.2: 1",
      "0.5: 2",
      "1: 2",
      "2: 3",
      "+Inf: 3",
    ]);
  });

  it("read gauges at each scrape, and forget what is gone", async () => {
    let up = true;
    let loaded = ["fast", "accurate"];
    const { samples } = measured({
      backends: () => [{ backend: "triton", up }],
      models: () => loaded.map((model) => ({ model, version: "1", loaded: model === "fast" })),
      memoryBytes: () => 4096,
      hitRate: () => 0.75,
    });
    assert.deepEqual(await samples("sentiment_backend_up"), [
      'sentiment_backend_up{backend="triton"} 1',
    ]);
    assert.deepEqual(await samples("sentiment_model_loaded"), [
      'sentiment_model_loaded{model="fast",version="1"} 1',
      'sentiment_model_loaded{model="accurate",version="1"} 0',
    ]);
    assert.deepEqual(await samples("sentiment_memory_usage_bytes"), [
      "sentiment_memory_usage_bytes 4096",
    ]);
    up = false;
    loaded = ["fast"];
    assert.deepEqual(await samples("sentiment_backend_up"), [
      'sentiment_backend_up{backend="triton"} 0',
    ]);
    assert.deepEqual(await samples("sentiment_model_loaded"), [
      'sentiment_model_loaded{model="fast",version="1"} 1',
    ]);
  });

  it("add up what waits for the versions of a model, and forget models that are gone", async () => {
    let queues = [
      { model: "fast", rows: 2, tokens: 30 },
      { model: "fast", rows: 1, tokens: 5 },
      { model: "accurate", rows: 0, tokens: 0 },
    ];
    const { samples } = measured({ queues: () => queues });
    assert.deepEqual(await samples("sentiment_queue_rows"), [
      'sentiment_queue_rows{model="fast"} 3',
      'sentiment_queue_rows{model="accurate"} 0',
    ]);
    queues = queues.slice(1, 2);
    assert.deepEqual(await samples("sentiment_queue_tokens"), [
      'sentiment_queue_tokens{model="fast"} 5',
    ]);
  });

  it("tell of what was refused for load, also that nothing was", async () => {
    const { metrics, samples } = measured();
    metrics.shed("too_late", 3);
    assert.deepEqual(await samples("sentiment_shed_total"), [
      'sentiment_shed_total{reason="queue_full"} 0',
      'sentiment_shed_total{reason="too_late"} 3',
      'sentiment_shed_total{reason="outrun"} 0',
      'sentiment_shed_total{reason="brown_out"} 0',
      'sentiment_shed_total{reason="rate_limited"} 0',
    ]);
  });

  it("of two registries do not count for each other", async () => {
    const [one, two] = [measured(), measured()];
    one.metrics.modelLoaded("fast");
    assert.deepEqual(await two.samples("sentiment_model_loads_total"), []);
  });
});
