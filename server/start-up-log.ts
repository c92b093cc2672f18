import { availableParallelism } from "node:os";
import { redisTarget } from "./cache/redis-url.js";
import { type Config, isOpen } from "./config.js";
import { TIERS, type Tier } from "./core/tiers.js";
import { mebibytes } from "./core/units.js";
import type { Log } from "./observe/log.js";
import { tracesLine } from "./observe/tracing.js";

const seconds = (ms: number) => `${ms / 1000} s`;

/** What was decided from the settings and the machine, and why: a line each. */
export function logDecisions(config: Config, log: Log, cpus = availableParallelism()): void {
  for (const message of [
    processesLine(config),
    threadsLine(config, cpus),
    readingLine(config),
    backendsLine(config),
    batchesLine(config),
    memoryLine(config),
    cachesLine(config),
    limitsLine(config),
    transportLine(config),
    keysLine(config),
    quotasLine(config),
    tracesLine(),
    logLine(config),
  ])
    log.info(message);
}

/** The same of a process that serves `tiers`. One of several leaves to its primary what holds for all. */
export function logStart(
  config: Config,
  tiers: readonly Tier[],
  isOneOfSeveral: boolean,
  log: Log,
): void {
  if (!isOneOfSeveral) logDecisions(config, log);
  log.info(tiersLine(config, tiers));
}

const processesLine = ({ processes }: Config) =>
  processes === 1
    ? "processes: one (PROCESSES=1)"
    : `processes: ${processes} behind one port (PROCESSES=${processes}), each with its share of threads and memory`;

function threadsLine({ workers, intraOpThreads, shown, processes }: Config, cpus: number): string {
  const { MAX_WORKERS, OMP_NUM_THREADS } = shown;
  const why = `MAX_WORKERS=${MAX_WORKERS}, OMP_NUM_THREADS ${OMP_NUM_THREADS ?? "unset"}, ${cpus} CPUs may be used, processes: ${processes}`;
  return `threads: ${workers} inference workers with ${intraOpThreads} threads each (${why})`;
}

const readingLine = ({ readingThreads }: Config) =>
  readingThreads === 0
    ? "reading: all texts on the event loop (TOKENIZERS_PARALLELISM=false)"
    : `reading: long texts in ${readingThreads} threads of their own (TOKENIZERS_PARALLELISM=true)`;

function backendsLine({ backends, tritonUrls, gpu }: Config): string {
  const named = backends.map((kind) =>
    kind === "triton"
      ? `Triton at ${tritonUrls.join(", ")}`
      : `onnxruntime in this process, ${gpu ? "with a GPU (ENABLE_GPU=true)" : "on the CPU"}`,
  );
  return `backend: ${named.join("; where that is down: ")} (BACKEND=${backends.join()})`;
}

function tiersLine(
  { defaultTier, prefetchModels, modelRepository }: Config,
  tiers: readonly Tier[],
): string {
  const when = prefetchModels
    ? "all loaded before calls are taken"
    : "each loaded at its first use";
  return `tiers: ${tiers.join(", ")} in ${modelRepository}, ${defaultTier} by default; ${when} (PREFETCH_MODELS=${prefetchModels})`;
}

const batchesLine = ({ batchPolicy, batchRows, batchMinRows, batchMaxRows }: Config) =>
  batchPolicy === "single"
    ? "batches: none, each text alone (ASYNC_PROCESSING=false)"
    : `batches: by ${batchPolicy} (BATCH_POLICY), BATCH_SIZE=${batchRows}, from ${batchMinRows} to ${batchMaxRows} rows`;

const memoryLine = ({ memory }: Config) =>
  memory === undefined
    ? "memory: not watched (MEMORY_OPTIMIZATION=false)"
    : `memory: models are unloaded over 80 % of ${mebibytes(memory.processBytes)} (MEMORY_LIMIT), model files up to ${mebibytes(memory.modelBytes)} (MODEL_CACHE_SIZE), of each process`;

function cachesLine({ cache }: Config): string {
  if (cache === undefined) return "caches: none (ENABLE_CACHING=false)";
  const tiers = [`memory with ${cache.maxEntries} answers (RESULT_CACHE_SIZE)`];
  if (cache.redisUrl !== undefined)
    tiers.push(`Redis at ${redisTarget(cache.redisUrl).shown} (REDIS_URL)`);
  if (cache.file !== undefined) tiers.push(`${cache.file} from run to run (CACHE_FILE)`);
  return `caches: ${tiers.join(", ")}; for ${seconds(cache.ttlMs)} (CACHE_TTL)`;
}

function limitsLine(config: Config): string {
  const { requestTimeoutMs, queueTimeoutMs, brownOutMs } = config;
  const brownOut = brownOutMs === undefined ? "never" : `from ${brownOutMs} ms of waiting on`;
  return `limits: ${seconds(requestTimeoutMs)} for a call (REQUEST_TIMEOUT), refused when it would wait over ${seconds(queueTimeoutMs)} (QUEUE_TIMEOUT), fast in place of others ${brownOut} (BROWN_OUT_MS)`;
}

function transportLine({ tls, maxConnections, maxConcurrentStreams }: Config): string {
  const most = `${maxConnections} connections of each process (MAX_CONNECTIONS), ${maxConcurrentStreams} calls at once on each (MAX_CONCURRENT_STREAMS)`;
  if (tls === undefined) return `transport: plaintext (TLS_CERT is unset), ${most}`;
  const clients =
    tls.clientCa === undefined
      ? "from any client (TLS_CLIENT_CA is unset)"
      : `only from clients with a certificate of ${tls.clientCa} (TLS_CLIENT_CA)`;
  return `transport: TLS with ${tls.cert} (TLS_CERT), ${clients}, ${most}`;
}

function keysLine({ apiKeysFile, jwt }: Config): string {
  const asked: string[] = [];
  if (apiKeysFile !== undefined) asked.push(`those of ${apiKeysFile} (API_KEYS_FILE)`);
  if (jwt !== undefined)
    asked.push(`tokens of ${jwt.issuer} for ${jwt.audience} (JWT_ISSUER, JWT_AUDIENCE)`);
  return asked.length === 0
    ? "keys: none are asked for, and AdminService is off (API_KEYS_FILE and JWT_JWKS are unset)"
    : `keys: asked for, ${asked.join(" or ")}`;
}

function quotasLine(config: Config): string {
  const { tokensPerMinute, weights, enforces } = config.quota;
  const open = isOpen(config);
  const whose = open ? "address" : "key that says nothing else";
  const most =
    tokensPerMinute === undefined
      ? `none${open ? "" : " but those of keys"} (TOKENS_PER_MINUTE=0)`
      : `${tokensPerMinute} tokens a minute for each ${whose} (TOKENS_PER_MINUTE)`;
  const counted = TIERS.map((tier) => `${tier} ${weights[tier]}`).join(", ");
  const mode = enforces ? "" : "; only counted (QUOTA_MODE=shadow)";
  return `quotas: ${most}; a token counts ${counted} (QUOTA_WEIGHTS)${mode}`;
}

const logLine = ({ logLevel, callLog: { sample, slowMs } }: Config) =>
  logLevel === "debug"
    ? "log of calls: all of them (LOG_LEVEL=debug)"
    : `log of calls: ${sample * 100} % of them (LOG_SAMPLE), those of ${slowMs} ms or more (SLOW_CALL_MS), and those that fail by the server's fault`;
