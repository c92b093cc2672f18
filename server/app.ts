import type { Backend } from "./backend/backend.js";
import { embeddedBackend } from "./backend/embedded/embedded-backend.js";
import { readRepository } from "./backend/repository/model-repository.js";
import { standBy } from "./backend/stand-by.js";
import { tritonBackend } from "./backend/triton/triton-backend.js";
import type { Config } from "./config.js";
import { type Clock, systemClock } from "./core/clock.js";
import { ServiceError, StartupError } from "./core/errors.js";
import { createLog, type Log } from "./observe/log.js";
import { serveGrpc } from "./rpc/grpc-server.js";
import { type ModelEvents, TierModels, type TierModelsOptions } from "./serve/tier-models.js";

/** Parts that a test may bring instead of the real ones. */
export interface AppParts {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly backend?: () => Backend;
  /** How long load balancers get to notice that a server drains, in milliseconds. */
  readonly probeMs?: number;
}

export interface App extends AsyncDisposable {
  /** `address:port` that gRPC is served on. */
  readonly address: string;
}

/** Longest row times rows of one batch, in tokens: more is no faster, and its activations stay in memory. */
const MAX_PADDED_TOKENS = 1024;
/** Measured: 0.25 reached 0.78 of a plain loop over sorted texts, 0.12 reached 0.88, 0.06 no more. */
const MAX_PADDING_RATIO = 0.12;
const MAX_STREAM_TEXTS = 128;
/** By default: longer than the usual second between two probes. */
const PROBE_MS = 1500;

/** Every part once, in the order in which a request leaves them, so that they are closed the other way round. */
export async function startApp(config: Config, parts: AppParts = {}): Promise<App> {
  const clock = parts.clock ?? systemClock;
  const log = parts.log ?? createLog(config.logLevel);
  await using opened = new AsyncDisposableStack();
  if (!isLoopback(config.bindAddress)) {
    const message = "anybody who reaches this address may use the server: this version has no keys";
    log.warn({ address: config.bindAddress }, message);
  }
  if (config.ignored.length > 0)
    log.warn({ settings: config.ignored }, "settings without effect in this version");

  const files = await readRepository(config.modelRepository);
  if (!files.some(({ tier }) => tier === config.defaultTier)) {
    throw new StartupError(
      `DEFAULT_TIER ${config.defaultTier} is not in ${config.modelRepository}: add sentiment_${config.defaultTier}, or set another`,
    );
  }
  const backend = opened.use(parts.backend?.() ?? makeBackend(config, clock, log));
  const models = opened.use(new TierModels(backend, modelOptions(config), clock, modelEvents(log)));
  for (const file of files) await models.add(file);
  if (config.prefetchModels) await prefetch(models, config, clock, log, opened);

  const limits = {
    maxTextLength: config.maxTextLength,
    maxBatchTexts: config.maxBatchTexts,
    timeoutMs: config.requestTimeoutMs,
    maxStreamTexts: MAX_STREAM_TEXTS,
  };
  const reportBug = (id: string, error: unknown) =>
    log.error({ id, err: error }, "a call failed unexpectedly");
  const service = {
    models,
    loadsAhead: config.prefetchModels,
    defaultTier: config.defaultTier,
    limits,
    clock,
    reportBug,
  };
  const server = await serveGrpc(config.bindAddress, config.grpcPort, service, clock);
  opened.defer(() => server.drain(parts.probeMs ?? PROBE_MS, config.requestTimeoutMs));

  const address = `${config.bindAddress}:${server.port}`;
  log.info(
    { address, tiers: models.list().map(({ tier }) => tier), workers: config.workers },
    `serving gRPC on ${address}`,
  );
  const owned = opened.move();
  return {
    address,
    async [Symbol.asyncDispose]() {
      log.info("draining");
      await owned.disposeAsync();
      log.info("stopped");
    },
  };
}

const isLoopback = (address: string): boolean =>
  address === "localhost" || address === "::1" || address.startsWith("127.");

/** Triton, with or without the embedded backend to stand by; or the embedded one alone. */
function makeBackend(config: Config, clock: Clock, log: Log): Backend {
  const { workers, intraOpThreads, gpu, tritonUrls } = config;
  const made = config.backends.map((kind) =>
    kind === "triton"
      ? tritonBackend({ urls: tritonUrls }, clock, (event, url, detail) =>
          log.warn({ event, url, detail }, "triton"),
        )
      : embeddedBackend({ workers, intraOpThreads, gpu }, clock, (event, detail) =>
          log.warn({ event, detail }, "inference worker"),
        ),
  );
  const [first, second] = made;
  if (first === undefined) throw new Error("BACKEND names no backend");
  return second === undefined ? first : standBy(first, second, clock, () => {});
}

const modelOptions = (config: Config): TierModelsOptions => ({
  repository: config.modelRepository,
  batching: {
    limits: {
      rows: config.batchRows,
      minRows: config.batchMinRows,
      maxRows: config.batchMaxRows,
      maxPaddedTokens: MAX_PADDED_TOKENS,
      maxPaddingRatio: MAX_PADDING_RATIO,
    },
    batching: config.batching,
  },
  memory: config.memory,
  rss: () => process.memoryUsage.rss(),
});

const modelEvents = (log: Log): ModelEvents => ({
  loaded: ({ name, version }, tookMs) =>
    log.info({ model: name, version, ms: Math.round(tookMs) }, "model loaded"),
  unloaded: ({ name, version }, cause) =>
    log.warn({ model: name, version, cause }, "model unloaded"),
  routed: () => {},
  compared: () => {},
  disagrees: ({ name, version }, compared, flips) =>
    log.warn({ model: name, version, compared, flips }, "the candidate answers otherwise"),
});

const RETRY_MS = 1000;

/**
 * Loads all tiers. What a Triton that is not there yet could not load is tried again until it can; calls are refused meanwhile. Everything
 * else that keeps a model from loading is a reason not to start.
 */
async function prefetch(
  models: TierModels,
  config: Config,
  clock: Clock,
  log: Log,
  opened: AsyncDisposableStack,
): Promise<void> {
  const isPatient = config.backends.join() === "triton";
  let cancel = () => {};
  opened.defer(() => cancel());
  const load = async (said: string): Promise<void> => {
    const outcomes = await Promise.allSettled(models.versions().map((version) => version.ready()));
    const faults = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    const [fault] = faults;
    if (fault === undefined) return;
    if (!(isPatient && fault instanceof ServiceError)) throw fault;
    if (fault.message !== said)
      log.warn({ detail: fault.message }, "not ready: waiting for triton");
    cancel = clock.after(RETRY_MS, () => void load(fault.message));
  };
  await load("");
}
