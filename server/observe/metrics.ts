import { Counter, Histogram, Registry } from "prom-client";
import type { CacheTier } from "../cache/cache.js";
import type { LookupOutcome, WriteOutcome } from "../cache/redis.js";
import { remembered } from "../core/remembered.js";
import { addGauges, type Readings } from "./gauges.js";
import { type ModelMetrics, modelMetrics } from "./model-metrics.js";
import { type RequestMetrics, requestMetrics } from "./request-metrics.js";
import type { SpanOutcome } from "./span-export.js";
import { tallyingCounter } from "./tally.js";
import { type TransportMetrics, transportMetrics } from "./transport-metrics.js";

export type { Registry } from "prom-client";
/** One a process: two apps in one process must not count for each other. `format`: how it is told at a scrape; exemplars need `openmetrics`. */
export function createRegistry(format: "prometheus" | "openmetrics" = "prometheus"): Registry {
  const registry = new Registry();
  // prom-client's types know one of its two.
  if (format === "openmetrics") registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  return registry;
}

/** Why a model was unloaded: memory ran short, the other models left no room in MODEL_CACHE_SIZE, or an admin said so. */
type UnloadCause = "memory" | "cache_size" | "admin";
const STAND_BY_OUTCOMES = ["primary_down", "primary_failed"] as const;
/** Why the stand-by backend answered a batch. */
type StandByOutcome = (typeof STAND_BY_OUTCOMES)[number];
const SHED_REASONS = ["queue_full", "too_late", "outrun", "brown_out", "rate_limited"] as const;
/** Why a row was turned away, or answered by the fast model, for load; or a text was turned away for its caller's quota. */
type ShedReason = (typeof SHED_REASONS)[number];
const SPAN_OUTCOMES: readonly SpanOutcome[] = ["exported", "failed", "dropped"];
const QUOTA_OUTCOMES = ["charged", "refused", "shadow_refused"] as const;
/** What became of tokens: models have read them; or, by estimate, they were refused, or would have been. */
type QuotaOutcome = (typeof QUOTA_OUTCOMES)[number];
const QUOTA_SYNC_OUTCOMES = ["shared", "alone"] as const;
/** Whether the others could be told. */
type QuotaSyncOutcome = (typeof QUOTA_SYNC_OUTCOMES)[number];
/** Whether the shadow gave the label that the caller got; `skipped`: it was too busy to be asked. */
type ShadowOutcome = "agree" | "flip" | "failed" | "skipped";

/** What the parts of the server tell as it happens. */
export interface Metrics {
  readonly modelLoaded: (model: string) => void;
  readonly modelUnloaded: (model: string, cause: UnloadCause) => void;
  /** One batch. */
  readonly stoodBy: (outcome: StandByOutcome) => void;
  /** One text that the model's shadow was to answer too. */
  readonly shadowed: (model: string, outcome: ShadowOutcome) => void;
  /** Between the scores of the model and of its shadow for one text, 0 to 2. */
  readonly shadowDistance: (model: string, distance: number) => void;
  /** So many texts that were looked for in a cache. */
  readonly cacheLooked: (tier: CacheTier, outcome: LookupOutcome, count: number) => void;
  /** So many answers that were to be written to Redis. */
  readonly cacheWrote: (outcome: WriteOutcome, count: number) => void;
  /** So many answers that made room in memory because the process ran short of it. */
  readonly cacheTrimmed: (count: number) => void;
  /** So many spans. */
  readonly spansEnded: (outcome: SpanOutcome, count: number) => void;
  /** One call, and the version that answered it. */
  readonly canaried: (model: string, version: string) => void;
  /** So many rows. */
  readonly shed: (reason: ShedReason, rows: number) => void;
  /** So many tokens, weighted by tier. */
  readonly quotaTokens: (outcome: QuotaOutcome, tokens: number) => void;
  /** The quotas were to be told to the other servers. */
  readonly quotaSynced: (outcome: QuotaSyncOutcome) => void;
  readonly requests: RequestMetrics;
  readonly transport: TransportMetrics;
  readonly of: ModelMetrics;
}

/** Adds every metric to `registry`, which must have none of them yet. */
export function createMetrics(registry: Registry, readings: Readings): Metrics {
  addGauges(registry, readings);
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Counter<Label> => new Counter({ name, help, labelNames, registers: [registry] });

  const loads = counter("sentiment_model_loads_total", "Times that a model was loaded", ["model"]);
  const unloads = counter("sentiment_model_unloads_total", "Times that a model was unloaded", [
    "model",
    "cause",
  ]);
  const standBy = counter(
    "sentiment_stand_by_total",
    "Batches that the stand-by backend answered, by what the primary did",
    ["outcome"],
  );
  // So that the first batch is an increase too, from 0.
  for (const outcome of STAND_BY_OUTCOMES) standBy.inc({ outcome }, 0);
  const shadow = counter(
    "sentiment_shadow_total",
    "Texts that a model's shadow was to answer too, by what came of it",
    ["model", "outcome"],
  );
  const distance = new Histogram({
    name: "sentiment_shadow_score_distance",
    help: "Distance between the scores of a model and of its shadow for one text, 0 to 2",
    labelNames: ["model"],
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
    registers: [registry],
  });
  const lookups = tallyingCounter({
    name: "sentiment_cache_lookups_total",
    help: "Texts that were looked for in a tier of caches, by whether they were found; for misses in Redis, also why",
    labelNames: ["tier", "outcome"],
    registers: [registry],
  });
  const lookupsOf = remembered((tier: CacheTier) =>
    remembered((outcome: LookupOutcome) => lookups.labels({ tier, outcome })),
  );
  const writes = counter(
    "sentiment_cache_writes_total",
    "Answers that were to be written to Redis, by what came of it",
    ["outcome"],
  );
  const trimmed = counter(
    "sentiment_cache_trimmed_total",
    "Answers dropped from the caches in memory because the process ran short of it",
    [],
  );
  const spans = counter(
    "sentiment_spans_total",
    "Spans that were to go to the collector, by what came of it: a collector that is slow or gone costs spans, and nothing else",
    ["outcome"],
  );
  for (const outcome of SPAN_OUTCOMES) spans.inc({ outcome }, 0);
  const canary = counter(
    "sentiment_canary_total",
    "Calls to a model that has a canary, by the version that answered",
    ["model", "version"],
  );
  const shed = counter(
    "sentiment_shed_total",
    "Rows that were turned away for load, by why: the queue was full, their answer would have come too late, or their turn did (outrun); brown_out: texts that fast answered in place of another model; rate_limited: texts that were refused for a quota",
    ["reason"],
  );
  for (const reason of SHED_REASONS) shed.inc({ reason }, 0);
  const quotaTokens = counter(
    "sentiment_quota_tokens_total",
    "Tokens of callers with a quota, weighted by tier: charged, models have read them; refused, by estimate; shadow_refused, let in since QUOTA_MODE is shadow",
    ["outcome"],
  );
  for (const outcome of QUOTA_OUTCOMES) quotaTokens.inc({ outcome }, 0);
  const quotaSyncs = counter(
    "sentiment_quota_syncs_total",
    "Times that what was spent of quotas was to be told to the other servers or processes: shared, or alone where that was not possible",
    ["outcome"],
  );
  for (const outcome of QUOTA_SYNC_OUTCOMES) quotaSyncs.inc({ outcome }, 0);
  return {
    quotaTokens: (outcome, tokens) => quotaTokens.inc({ outcome }, tokens),
    quotaSynced: (outcome) => quotaSyncs.inc({ outcome }),
    shed: (reason, rows) => shed.inc({ reason }, rows),
    requests: requestMetrics(registry),
    transport: transportMetrics(registry),
    of: modelMetrics(registry),
    modelLoaded: (model) => loads.inc({ model }),
    modelUnloaded: (model, cause) => unloads.inc({ model, cause }),
    stoodBy: (outcome) => standBy.inc({ outcome }),
    shadowed: (model, outcome) => shadow.inc({ model, outcome }),
    shadowDistance: (model, value) => distance.observe({ model }, value),
    cacheWrote: (outcome, count) => writes.inc({ outcome }, count),
    cacheLooked: (tier, outcome, count) => lookupsOf(tier)(outcome).inc(count),
    cacheTrimmed: (count) => trimmed.inc(count),
    spansEnded: (outcome, count) => spans.inc({ outcome }, count),
    canaried: (model, version) => canary.inc({ model, version }),
  };
}
