import { type Backend, ModelError } from "./backend/backend.js";
import { embeddedBackend } from "./backend/embedded/embedded-backend.js";
import { padded, rowsOf } from "./backend/padding.js";
import { type ModelFiles, readRepository } from "./backend/repository/model-repository.js";
import { Batcher } from "./batch/batcher.js";
import type { Cascade } from "./classify/cascade.js";
import type { ServedModel } from "./classify/model.js";
import type { Config } from "./config.js";
import { type Clock, systemClock } from "./core/clock.js";
import { messageOf, ServiceError, StartupError } from "./core/errors.js";
import type { Tier } from "./core/tiers.js";
import { createLog, type Log } from "./observe/log.js";
import { serveGrpc } from "./rpc/grpc-server.js";
import { loadTokenizer } from "./tokenize/tokenizer.js";

/** Parts that a test may bring instead of the real ones. */
export interface AppParts {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly backend?: (files: readonly ModelFiles[]) => Backend;
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
const MAX_QUEUED_ROWS = 10_000;
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
  const makeBackend = parts.backend ?? ((all) => embedded(config, all, clock, log));
  const backend = opened.use(makeBackend(files));
  const models = new Map<Tier, ServedModel>();
  for (const file of files)
    models.set(file.tier, await serveModel(file, backend, config, clock, log));
  if (config.prefetchModels) await Promise.all([...models.values()].map((model) => model.ready()));

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
    cascade: cascadeOf(models),
    defaultTier: config.defaultTier,
    limits,
    clock,
    reportBug,
  };
  const server = await serveGrpc(config.bindAddress, config.grpcPort, service, clock);
  opened.defer(() => server.drain(parts.probeMs ?? PROBE_MS, config.requestTimeoutMs));

  const address = `${config.bindAddress}:${server.port}`;
  log.info(
    { address, tiers: [...models.keys()], workers: config.workers },
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

/** Fast first, and accurate for what it is unsure of. */
function cascadeOf(models: ReadonlyMap<Tier, ServedModel>): Cascade | undefined {
  const [fast, accurate] = [models.get("fast"), models.get("accurate")];
  const threshold = fast?.cascadeThreshold;
  return fast && accurate && threshold !== undefined ? { fast, accurate, threshold } : undefined;
}

function embedded(config: Config, files: readonly ModelFiles[], clock: Clock, log: Log): Backend {
  const options = {
    files: new Map(
      files.map(({ name, onnxPath, digest, maxTokens }) => [
        name,
        { path: onnxPath, digest, maxTokens },
      ]),
    ),
    workers: config.workers,
    intraOpThreads: config.intraOpThreads,
  };
  return embeddedBackend(options, clock, (event, detail) =>
    log.warn({ event, detail }, "inference worker"),
  );
}

/** Tokenizer, batcher and backend of one model, put together. */
async function serveModel(
  file: ModelFiles,
  backend: Backend,
  config: Config,
  clock: Clock,
  log: Log,
): Promise<ServedModel> {
  const tokenizer = await loadTokenizer(file.tokenizerPath);
  const batcher = new Batcher(
    async (rows) =>
      rowsOf(await backend.infer(file.name, padded(rows, tokenizer.padId)), rows.length),
    {
      limits: {
        rows: config.batchRows,
        minRows: config.batchMinRows,
        maxRows: config.batchMaxRows,
        maxPaddedTokens: MAX_PADDED_TOKENS,
        maxPaddingRatio: MAX_PADDING_RATIO,
      },
      maxInFlight: backend.concurrency,
      maxQueuedRows: MAX_QUEUED_ROWS,
      batching: config.batching,
      blames: (error) => error instanceof ModelError,
    },
    clock,
  );

  let loaded = false;
  let loading: Promise<void> | undefined;
  const load = async () => {
    const startedMs = clock.now();
    await backend.load(file.name).catch((error: unknown) => {
      if (error instanceof ServiceError) throw error;
      throw new StartupError(
        `${file.onnxPath} cannot be served: ${messageOf(error)}: replace it, or run make models`,
        error,
      );
    });
    loaded = true;
    log.info({ model: file.name, ms: Math.round(clock.now() - startedMs) }, "model loaded");
  };
  return {
    tier: file.tier,
    name: file.name,
    version: `${file.version}+${backend.name}.${file.digest.slice(0, 8)}`,
    maxTokens: file.maxTokens,
    temperature: file.temperature,
    cascadeThreshold: file.cascadeThreshold,
    tokenizer,
    submit: (rows, signal) => batcher.submit(rows, signal),
    isReady: () => loaded,
    ready() {
      loading ??= load().catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
      return loading;
    },
  };
}
