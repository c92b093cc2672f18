import assert from "node:assert/strict";
import { MergedMetrics } from "../../../server/observe/merged-metrics.js";
import { createMetrics, createRegistry } from "../../../server/observe/metrics.js";
import { processMetrics } from "../../../server/observe/process-metrics.js";
import { NO_READINGS } from "./some-readings.js";

/** One process: its metrics, and what it tells of them. */
function someProcess({ up = true, rates = [0.5], bytes = 100 } = {}) {
  const registry = createRegistry();
  const metrics = createMetrics(registry, {
    ...NO_READINGS,
    backends: () => [{ backend: "embedded", up }],
    models: () => [{ model: "fast", version: "1", loaded: up }],
    memoryBytes: () => bytes,
    cpuPercent: () => bytes / 10,
    queues: () => [{ model: "fast", rows: 2, tokens: bytes }],
    hitRate: () => rates[0],
  });
  // As it comes from another process.
  return { metrics, told: async () => structuredClone(await registry.getMetricsAsJSON()) };
}

describe("MergedMetrics", () => {
  let merged: MergedMetrics;
  beforeEach(() => {
    merged = new MergedMetrics();
  });
  const lines = async (...answered: number[]) =>
    (await merged.text(new Set(answered), [])).split("\n");
  const has = (text: readonly string[], line: string) =>
    assert.ok(text.includes(line), `${line} is not in\n${text.join("\n")}`);

  it("adds up counts and memory, averages the hit rate, and tells of what one of them lacks", async () => {
    const [one, other, idle] = [
      someProcess(),
      someProcess({ up: false, rates: [1], bytes: 11 }),
      someProcess({ rates: [], bytes: 1 }),
    ];
    one.metrics.cacheLooked("memory", "hit", 2);
    other.metrics.cacheLooked("memory", "hit", 3);
    one.metrics.requests.method("/service/Call", false).began();
    for (const { metrics } of [one, other]) {
      const call = metrics.requests.method("/service/Call", false);
      call.began();
      call.began();
      call.ended("OK", 20);
      metrics.of("fast").ran({ rows: 3, paddingRatio: 0.1, inferenceMs: 15 });
    }
    one.metrics.shadowDistance("fast", 0.3);
    other.metrics.shadowDistance("fast", 0.3);
    merged.took(1, await one.told());
    merged.took(2, await other.told());
    merged.took(3, await idle.told());
    const text = await lines(1, 2, 3);
    has(text, 'sentiment_cache_lookups_total{tier="memory",outcome="hit"} 5');
    has(text, 'sentiment_shadow_score_distance_bucket{le="0.5",model="fast"} 2');
    has(text, 'sentiment_shadow_score_distance_count{model="fast"} 2');
    has(text, "sentiment_memory_usage_bytes 112");
    has(text, "sentiment_cache_hit_rate 0.75");
    has(text, 'sentiment_requests_total{method="Call",endpoint="service",code="OK"} 2');
    has(text, "sentiment_requests_in_flight 3");
    has(text, 'sentiment_batch_rows_bucket{le="4",model="fast"} 2');
    has(text, 'sentiment_queue_rows{model="fast"} 6');
    has(text, 'sentiment_queue_tokens{model="fast"} 112');
    has(text, "sentiment_cpu_usage_percent 11.2");
    has(text, "sentiment_memory_limit_bytes 1000");
    has(text, 'sentiment_build_info{version="1.2.3",backend="embedded"} 1');
    has(text, 'sentiment_backend_up{backend="embedded"} 0');
    has(text, 'sentiment_model_loaded{model="fast",version="1"} 0');
  });

  it("counts a process again no more often than it is told", async () => {
    const one = someProcess();
    for (const total of [1, 2, 3]) {
      one.metrics.modelLoaded("fast");
      merged.took(1, await one.told());
      has(await lines(1), `sentiment_model_loads_total{model="fast"} ${total}`);
    }
  });

  it("keeps what the dead have counted, and nothing else of them", async () => {
    for (const total of [1, 2, 3]) {
      const mortal = someProcess();
      mortal.metrics.modelLoaded("fast");
      mortal.metrics.shadowDistance("fast", 1);
      merged.took(1, await mortal.told());
      merged.ended(1);
      const text = await lines();
      has(text, `sentiment_model_loads_total{model="fast"} ${total}`);
      has(text, `sentiment_shadow_score_distance_sum{model="fast"} ${total}`);
      assert.ok(!text.some((line) => line.startsWith("sentiment_memory_usage_bytes")));
    }
    // One that died before it was ever scraped.
    merged.ended(2);
    has(await lines(), 'sentiment_model_loads_total{model="fast"} 3');
  });

  it("keeps the counts of one that is late, without its gauges", async () => {
    const [one, late] = [someProcess(), someProcess()];
    one.metrics.modelLoaded("fast");
    late.metrics.modelLoaded("fast");
    merged.took(1, await one.told());
    merged.took(2, await late.told());
    const text = await lines(1);
    has(text, 'sentiment_model_loads_total{model="fast"} 2');
    has(text, "sentiment_memory_usage_bytes 100");
  });

  it("has the primary's own among them", async () => {
    const { registry, metrics } = processMetrics(() => ["serving", "serving", "resting"], {
      memoryBytes: () => 20_000_000,
      cpuPercent: () => 1,
    });
    metrics.died();
    metrics.late();
    merged.took(1, await someProcess().told());
    const text = await merged.text(new Set([1]), await registry.getMetricsAsJSON());
    for (const line of [
      'sentiment_processes{state="serving"} 2',
      'sentiment_processes{state="resting"} 1',
      'sentiment_processes{state="starting"} 0',
      "sentiment_process_deaths_total 1",
      "sentiment_process_late_total 1",
    ])
      has(text.split("\n"), line);
    const memory = /^sentiment_memory_usage_bytes (\d+)$/m.exec(text)?.[1];
    assert.ok(Number(memory) > 10_000_000 + 100, "the primary's memory is missing");
  });
});
