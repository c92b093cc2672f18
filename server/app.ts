import type { Backend } from "./backend/backend.js";
import { type ModelFiles, readRepository } from "./backend/repository/model-repository.js";
import { type AnswerParts, makeAnswers } from "./cache-parts.js";
import { Warming } from "./classify/warming.js";
import type { Config } from "./config.js";
import type { Call } from "./core/call.js";
import { type Clock, systemClock } from "./core/clock.js";
import { StartupError } from "./core/errors.js";
import { OWN_VERSION } from "./core/own-version.js";
import type { SharedQuota } from "./core/shared-quota.js";
import { traceIdOf } from "./core/trace.js";
import { Tier as TierMessage } from "./gen/sentiment/v1/sentiment.js";
import { openKeys } from "./key-parts.js";
import { callLog } from "./observe/call-log.js";
import { watchEventLoopLag } from "./observe/event-loop-lag.js";
import { HitRate } from "./observe/hit-rate.js";
import { createLog, type Log } from "./observe/log.js";
import { createMetrics, createRegistry, type Registry } from "./observe/metrics.js";
import { createReadiness, type Readiness, readyState } from "./observe/readiness.js";
import type { ProcessStatus } from "./observe/status.js";
import { openTracing, scrapeFormat } from "./observe/tracing.js";
import {
  makeBackend,
  modelEvents,
  modelOptions,
  openOps,
  openProfiles,
  openReaders,
  prefetch,
  readingsOf,
  spanEvents,
  statusReader,
} from "./parts.js";
import { openQuota } from "./quota-parts.js";
import type { Peers } from "./rpc/across-processes.js";
import { analyzer } from "./rpc/analyzer.js";
import { callLines } from "./rpc/call-lines.js";
import { serveGrpc } from "./rpc/grpc-server.js";
import { textWarmer } from "./rpc/warmer.js";
import { TierModels } from "./serve/tier-models.js";
import { logStart } from "./start-up-log.js";
import { openTransport, transportEvents, warnOfStrangers } from "./transport-parts.js";
import { readWarmUp, startWarmUp } from "./warm-up.js";

/** What the primary of several processes asks each of them. */
export interface Observed {
  readonly registry: Registry;
  readonly readiness: Readiness;
  readonly status: () => ProcessStatus;
}

/** Parts that a test may bring instead of the real ones. */
export interface AppParts {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly backend?: () => Backend;
  /** How long load balancers get to notice that a server drains, in milliseconds. */
  readonly probeMs?: number;
  /** Of several processes behind one port: who has it asked what HTTP_PORT would tell, which is not served then. */
  readonly observer?: (observed: Observed) => void;
  /** The other processes behind the same port. */
  readonly peers?: Peers;
  /** A folder by which those of them that start share the weights of models; undefined: no longer. */
  readonly weights?: (() => string | undefined) | undefined;
  /** What they and this one spend of quotas, unless a Redis knows that. */
  readonly sharedQuota?: SharedQuota;
}

export interface App extends AsyncDisposable {
  /** `address:port` that gRPC is served on. */
  readonly address: string;
  /** `address:port` of /metrics, /livez, /readyz and /status; undefined: another process serves them. */
  readonly opsAddress: string | undefined;
}

/** Of 128 batches are smaller, and padded more: 0.92 of the texts a second (docs/decisions.md 78). */
const MAX_STREAM_TEXTS = 256;
/** By default: longer than the usual second between two probes. */
const PROBE_MS = 1500;

/** Every part once, in the order in which a request leaves them, so that they are closed the other way round. */
export async function startApp(config: Config, parts: AppParts = {}): Promise<App> {
  const clock = parts.clock ?? systemClock;
  const log = parts.log ?? createLog(config.logLevel);
  await using opened = new AsyncDisposableStack();
  warnOfStrangers(config, log);

  const files = await readRepository(config.modelRepository);
  if (!files.some(({ tier }) => tier === config.defaultTier)) {
    throw new StartupError(
      `DEFAULT_TIER ${config.defaultTier} is not in ${config.modelRepository}: add sentiment_${config.defaultTier}, or set another`,
    );
  }
  const tiers = files.map(({ tier }) => tier);
  logStart(config, tiers, parts.observer !== undefined, log);
  const texts = await readWarmUp(config, log);
  const registry = createRegistry(scrapeFormat(parts.observer !== undefined));
  let served: TierModels | undefined;
  let answers: AnswerParts | undefined;
  const hitRate = new HitRate(clock);
  const readings = readingsOf(config, () => served, hitRate);
  const metrics = createMetrics(registry, readings);
  // Of the loop as it is, whatever clock a test brings.
  opened.use(watchEventLoopLag(registry, systemClock));
  const { tracer } = opened.use(await openTracing(spanEvents(log, metrics)));
  const readiness = createReadiness(
    () => unready(files, served),
    () => downOf(served),
  );
  const latest = { models: () => served, answers: () => answers };
  const status = statusReader(config, readiness, latest);
  // First, and so closed last: it tells how the start and the drain go.
  const ready = () => readyState(readiness.reasons());
  const processes = () => [{ process: 1, ...status() }];
  parts.observer?.({ registry, readiness, status });
  const ops =
    parts.observer === undefined
      ? opened.use(await openOps(config, { registry, ready, processes }, log))
      : undefined;
  const keys = opened.use(await openKeys(config, clock, log));
  const { quota } = opened.use(openQuota(config, parts.sharedQuota, clock, log, metrics));
  const tls = opened.use(await openTransport(config, clock, log, metrics.transport));

  const backend = opened.use(
    parts.backend?.() ?? makeBackend(config, parts.weights, clock, log, metrics),
  );
  const readers = opened.use(openReaders(config, clock, log));
  const models = opened.use(
    new TierModels(
      backend,
      { ...modelOptions(config, () => answers?.trim()), readers },
      clock,
      modelEvents(log, metrics),
    ),
  );
  served = models;
  for (const file of files) await models.add(file);
  if (config.prefetchModels) await prefetch(models, config, clock, log, opened);

  answers = opened.use(makeAnswers(config, clock, log, metrics, hitRate));
  await answers.restore((space) => models.versions().some(({ model }) => model.space === space));
  const { answer, caches, save } = answers;
  const warming = new Warming(() => models.isInUse, clock);
  const limits = {
    maxTextLength: config.maxTextLength,
    maxBatchTexts: config.maxBatchTexts,
    timeoutMs: config.requestTimeoutMs,
    brownOutMs: config.brownOutMs,
    maxStreamTexts: MAX_STREAM_TEXTS,
  };
  const reportBug = (id: string, error: unknown, call: Call | undefined) =>
    log.error({ id, trace: call && traceIdOf(call), err: error }, "a call failed unexpectedly");
  const profiler = openProfiles(config, clock, log);
  const service = {
    models,
    answer,
    caches,
    warming,
    defaultTier: config.defaultTier,
    limits,
    quota,
    clock,
    reportBug,
    tracer,
    events: { ...metrics.requests, shed: metrics.shed },
    ended: callLines(callLog(log, config.callLog, clock), () => readiness.isDraining),
    version: OWN_VERSION,
    status,
    profiler,
    peers: parts.peers,
  };
  const server = await serveGrpc(config, service, clock, {
    keys,
    credentials: tls?.credentials,
    events: transportEvents(config, clock, log, metrics.transport),
  });
  opened.defer(save);
  opened.defer(() => server.drain(parts.probeMs ?? PROBE_MS, config.requestTimeoutMs));
  // Closed before the drain, which would wait for a profile.
  opened.use(profiler);
  readiness.serving();
  const warm = textWarmer(service, analyzer(service), TierMessage.TIER_UNSPECIFIED);
  const isReady = () =>
    models.list().some((model) => model.tier === config.defaultTier && model.isReady());
  opened.use(startWarmUp(texts, { warming, warm, isReady, clock, log }));

  const address = `${config.bindAddress}:${server.port}`;
  log.info({ address, tiers, workers: config.workers }, `serving gRPC on ${address}`);
  const owned = opened.move();
  return {
    address,
    opsAddress: ops?.address,
    async [Symbol.asyncDispose]() {
      readiness.draining();
      log.info("draining");
      await owned.disposeAsync();
      log.info("stopped");
    },
  };
}

/** Models that calls cannot be answered for. */
function unready(files: readonly ModelFiles[], models: TierModels | undefined): readonly string[] {
  const ready = models?.list().filter((model) => model.canServe()) ?? [];
  return files.map(({ name }) => name).filter((name) => !ready.some((one) => one.name === name));
}

/** Backends that can run no model. */
const downOf = (models: TierModels | undefined): readonly string[] =>
  (models?.backends() ?? []).filter(({ up }) => !up).map(({ backend }) => backend);
