import type { Backend } from "./backend/backend.js";
import { embeddedBackend } from "./backend/embedded/embedded-backend.js";
import { weightsFolder } from "./backend/embedded/weights-folder.js";
import { standBy } from "./backend/stand-by.js";
import { tritonBackend } from "./backend/triton/triton-backend.js";
import type { AnswerParts } from "./cache-parts.js";
import { ReadingThreads } from "./classify/reading-threads.js";
import type { Config } from "./config.js";
import { type Clock, systemClock } from "./core/clock.js";
import { messageOf, ServiceError } from "./core/errors.js";
import { OWN_VERSION } from "./core/own-version.js";
import { cpuUsage, ownCpuMs } from "./observe/cpu-usage.js";
import type { Readings } from "./observe/gauges.js";
import type { HitRate } from "./observe/hit-rate.js";
import type { Log } from "./observe/log.js";
import type { Metrics } from "./observe/metrics.js";
import { type OpsParts, serveOps } from "./observe/ops-http.js";
import { Profiles } from "./observe/profiles.js";
import type { Readiness } from "./observe/readiness.js";
import { residentBytes, residentBytesNow } from "./observe/resident-memory.js";
import type { SpanCounts } from "./observe/span-export.js";
import { type ProcessStatus, type StatusReadings, statusOf } from "./observe/status.js";
import type { ModelEvents } from "./serve/model-events.js";
import type { TierModels } from "./serve/tier-models.js";

/** Longest row times rows of one batch, in tokens, padding by what it costs: more is no faster, and its activations stay in memory. */
const MAX_WORK = 1024;
const RETRY_MS = 1000;

export async function openOps(
  config: Config,
  parts: Omit<OpsParts, "reportFault" | "about">,
  log: Log,
) {
  const reportFault = (error: unknown) => log.error({ err: error }, "ops HTTP failed");
  const started = new Date().toISOString();
  const about = { version: OWN_VERSION, started, settings: config.shown };
  const ops = await serveOps(config.bindAddress, config.httpPort, { ...parts, about, reportFault });
  const opsAddress = `${config.bindAddress}:${ops.port}`;
  log.info({ opsAddress }, `serving /metrics, /livez, /readyz and /status on ${opsAddress}`);
  return { ...ops, address: opsAddress };
}

/** Counts spans, and says once that the collector does not take them, and once that it does again. */
export function spanEvents(log: Log, metrics: Metrics): SpanCounts {
  let isTaken = true;
  return (outcome, count) => {
    metrics.spansEnded(outcome, count);
    const wasTaken = isTaken;
    isTaken = outcome === "exported";
    if (wasTaken && !isTaken)
      log.warn(
        { outcome },
        "spans are lost: the collector does not take them (sentiment_spans_total counts)",
      );
    if (!wasTaken && isTaken) log.info("the collector takes spans again");
  };
}

/** What this process takes of the machine. */
export const processReadings = ({ cpus }: Config) => ({
  memoryBytes: residentBytes,
  // By the real clock, as the CPU's time is.
  cpuPercent: cpuUsage(cpus, ownCpuMs, systemClock),
});

export const openProfiles = ({ profileDir }: Config, clock: Clock, log: Log) =>
  new Profiles({ folder: profileDir }, clock, {
    captured: (kind, { path, bytes }) => log.info({ kind, path, bytes }, "profile captured"),
    unpruned: (error) => log.warn({ err: error }, "old profiles cannot be deleted"),
  });

/** `latest`: what there is by now, since it tells of the start too. */
export function statusReader(
  config: Config,
  readiness: Readiness,
  latest: {
    readonly models: () => TierModels | undefined;
    readonly answers: () => AnswerParts | undefined;
  },
): () => ProcessStatus {
  const started = new Date().toISOString();
  const readings: StatusReadings = {
    reasons: () => readiness.reasons(),
    draining: () => readiness.isDraining,
    versions: () => latest.models()?.versions() ?? [],
    backends: () => latest.models()?.backends() ?? [],
    cache: () => latest.answers()?.status(),
    memoryBytes: residentBytes,
    memoryLimitBytes: config.memory?.processBytes,
  };
  return () => statusOf(readings, started);
}

export const readingsOf = (
  config: Config,
  models: () => TierModels | undefined,
  hitRate: HitRate,
): Readings => ({
  ...processReadings(config),
  memoryLimitBytes: config.memoryLimitBytes,
  build: { version: OWN_VERSION, backend: config.backends.join() },
  hitRate: () => hitRate.share,
  backends: () => models()?.backends() ?? [],
  models: () =>
    (models()?.versions() ?? []).map(({ model, isLoaded }) => ({
      model: model.name,
      version: model.version,
      loaded: isLoaded,
    })),
  queues: () =>
    (models()?.versions() ?? []).map(({ model, queued }) => ({
      model: model.name,
      rows: queued.size,
      tokens: queued.tokens,
    })),
});

/** For as long as it is not disposed of; undefined where there is nothing to share, or no room for it. */
export async function sharedWeights({ backends, gpu }: Config, log: Log) {
  if (gpu || !backends.includes("embedded")) return undefined;
  return await weightsFolder().catch((error: unknown) => {
    log.warn({ err: error }, "the weights of models are in memory once for each process");
    return undefined;
  });
}

/** Triton, with or without the embedded backend to stand by; or the embedded one alone. */
export function makeBackend(
  config: Config,
  weights: (() => string | undefined) | undefined,
  clock: Clock,
  log: Log,
  metrics: Metrics,
): Backend {
  const { workers, intraOpThreads, gpu, takesAllCores, tritonUrls } = config;
  const embedded = { workers, intraOpThreads, gpu, takesAllCores, weights };
  const made = config.backends.map((kind) =>
    kind === "triton"
      ? tritonBackend({ urls: tritonUrls }, clock, (event, url, detail) =>
          log.warn({ event, url, detail }, "triton"),
        )
      : embeddedBackend(embedded, clock, (event, detail) =>
          log.warn({ event, detail }, "inference worker"),
        ),
  );
  const [first, second] = made;
  if (first === undefined) throw new Error("BACKEND names no backend");
  return second === undefined ? first : standBy(first, second, clock, metrics.stoodBy);
}

export const modelOptions = (config: Config, trimCaches: () => void) => ({
  repository: config.modelRepository,
  loadsAhead: config.prefetchModels,
  batching: {
    limits: {
      rows: config.batchRows,
      minRows: config.batchMinRows,
      maxRows: config.batchMaxRows,
      maxWork: MAX_WORK,
    },
    policy: config.batchPolicy,
    maxWaitMs: config.queueTimeoutMs,
  },
  memory: config.memory,
  resident: { atMost: () => process.memoryUsage.rss(), exactly: residentBytesNow },
  trimCaches,
});

/** undefined: texts are read on the event loop. */
export const openReaders = ({ readingThreads }: Config, clock: Clock, log: Log) =>
  readingThreads === 0
    ? undefined
    : new ReadingThreads(readingThreads, clock, (event, detail) =>
        log.warn({ event, detail }, "reading thread"),
      );

export const modelEvents = (log: Log, metrics: Metrics): ModelEvents => ({
  loaded({ name, version }, tookMs) {
    metrics.modelLoaded(name);
    log.info({ model: name, version, ms: Math.round(tookMs) }, "model loaded");
  },
  unloaded({ name, version }, cause) {
    metrics.modelUnloaded(name, cause);
    log.warn({ model: name, version, cause }, "model unloaded");
  },
  routed: ({ name, version }) => metrics.canaried(name, version),
  compared({ name }, outcome, distance) {
    metrics.shadowed(name, outcome);
    if (distance !== undefined) metrics.shadowDistance(name, distance);
  },
  disagrees: ({ name, version }, compared, flips) =>
    log.warn({ model: name, version, compared, flips }, "the candidate answers otherwise"),
  of: (model) => ({ ...metrics.of(model), shed: metrics.shed }),
});

/**
 * Loads all tiers. What a Triton that is not there yet could not load is tried again until it can; calls are refused meanwhile. Everything
 * else that keeps a model from loading is a reason not to start.
 */
export async function prefetch(
  models: TierModels,
  config: Config,
  clock: Clock,
  log: Log,
  opened: AsyncDisposableStack,
): Promise<void> {
  const isPatient = config.backends.join() === "triton";
  let closed = false;
  let cancel = () => {};
  opened.defer(() => {
    closed = true;
    cancel();
  });
  const load = async (said: string): Promise<void> => {
    const [fault] = await faultsOf(models);
    if (fault === undefined || closed) return;
    if (!(isPatient && fault instanceof ServiceError)) throw fault;
    const detail = messageOf(fault.hints.cause ?? fault);
    if (detail !== said) log.warn({ detail }, "not ready: waiting for triton");
    cancel = clock.after(RETRY_MS, () => void load(detail));
  };
  await load("");
}

/** One after the other: of models that do not fit together, each makes room for the next, and is loaded again when it is asked for. */
async function faultsOf(models: TierModels): Promise<unknown[]> {
  const faults: unknown[] = [];
  for (const version of models.versions()) {
    if (version.model.canServe()) continue;
    await version.ready().catch((fault: unknown) => faults.push(fault));
  }
  return faults;
}
