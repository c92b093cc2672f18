import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { redisTarget } from "./cache/redis-url.js";
import { messageOf, StartupError } from "./core/errors.js";
import { settled } from "./core/settled.js";
import type { Tier } from "./core/tiers.js";
import { jwtFaults, jwtOf } from "./jwt-settings.js";
import { traceEndpoint } from "./observe/tracing.js";
import { Settings } from "./settings.js";
import { shownSettings, withoutSecrets } from "./shown-settings.js";

export type Config = ReturnType<typeof loadConfig>;

/** Whoever reaches the server may call: no keys or tokens are asked for. */
export const isOpen = ({ apiKeysFile, jwt }: Pick<Config, "apiKeysFile" | "jwt">): boolean =>
  apiKeysFile === undefined && jwt === undefined;

const unlessZero = (value: number) => (value === 0 ? undefined : value);

/** At least 1. */
const shareOf = (whole: number, shares: number) => Math.max(1, Math.floor(whole / shares));

/** Reads all settings at once, and shares out what several processes share; throws one StartupError that names every fault. An empty value counts as unset. */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  cpus: number = availableParallelism(),
) {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = Settings.safeParse(given);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => {
        const name = String(path[0]);
        return `${name}: ${message} (is "${withoutSecrets(name, given[name] ?? "")}")`;
      });
  faults.push(...tlsFaults(given), ...addressFaults(given), ...faultsTogether(given, parsed));
  if (!parsed.success || faults.length > 0)
    throw new StartupError(`bad settings:\n  ${faults.join("\n  ")}`);
  const settings = parsed.data;
  const processes = settings.PROCESSES;
  const workers = shareOf(Math.min(settings.MAX_WORKERS, cpus), processes);
  const intraOpThreads = shareOf(settings.OMP_NUM_THREADS ?? cpus, processes * workers);
  return {
    processes,
    cpus,
    grpcPort: settings.GRPC_PORT,
    httpPort: settings.HTTP_PORT,
    bindAddress: settings.BIND_ADDRESS,
    backends: settings.BACKEND.split(",") as readonly ("embedded" | "triton")[],
    tritonUrls: settings.TRITON_URL,
    gpu: settings.ENABLE_GPU,
    cache: settings.ENABLE_CACHING
      ? {
          maxEntries: settings.RESULT_CACHE_SIZE,
          ttlMs: settings.CACHE_TTL * 1000,
          redisUrl: settings.REDIS_URL,
          file: settings.CACHE_FILE,
          warmUpFile: settings.WARM_UP_FILE,
          aggressive: settings.AGGRESSIVE_CACHING,
        }
      : undefined,
    memory: settings.MEMORY_OPTIMIZATION
      ? {
          processBytes: shareOf(settings.MEMORY_LIMIT, processes),
          modelBytes: shareOf(settings.MODEL_CACHE_SIZE, processes),
        }
      : undefined,
    memoryLimitBytes: settings.MEMORY_LIMIT,
    modelRepository: settings.MODEL_REPOSITORY,
    defaultTier: settings.DEFAULT_TIER,
    workers,
    /** For long texts; 0: they are read on the event loop. */
    readingThreads: settings.TOKENIZERS_PARALLELISM ? workers : 0,
    intraOpThreads,
    /** Inference leaves none to the event loops. On a GPU it is not the cores that it takes. */
    takesAllCores: !settings.ENABLE_GPU && processes * workers * intraOpThreads >= cpus,
    maxTextLength: settings.MAX_INPUT_LENGTH,
    maxBatchTexts: settings.MAX_BATCH_SIZE,
    requestTimeoutMs: settings.REQUEST_TIMEOUT * 1000,
    ...transportOf(settings),
    watchdogSeconds: settings.WATCHDOG_SECONDS,
    prefetchModels: settings.PREFETCH_MODELS,
    ...batchingOf(settings),
    apiKeysFile: settings.API_KEYS_FILE,
    jwt: jwtOf(settings),
    quota: {
      tokensPerMinute: unlessZero(settings.TOKENS_PER_MINUTE),
      weights: weightsOf(settings.QUOTA_WEIGHTS),
      enforces: settings.QUOTA_MODE === "enforce",
      /** Also where no answers are kept in it. */
      redisUrl: settings.REDIS_URL,
    },
    profileDir: profileDirOf(settings),
    logLevel: settings.LOG_LEVEL,
    callLog: { sample: settings.LOG_SAMPLE, slowMs: settings.SLOW_CALL_MS },
    shown: shownSettings(settings, given),
  } as const;
}

/** As in `fast=1,balanced=2,accurate=10`. */
const weightsOf = (text: string): Readonly<Record<Tier, number>> => {
  const weights = text.split(",").map((part) => Number(part.split("=")[1]));
  const [fast = 1, balanced = 1, accurate = 1] = weights;
  return { fast, balanced, accurate };
};

const profileDirOf = ({ PROFILE_DIR }: z.infer<typeof Settings>): string =>
  PROFILE_DIR ?? join(tmpdir(), "sentiment-profiles");

const transportOf = (settings: z.infer<typeof Settings>) => ({
  streamIdleMs: unlessZero(settings.STREAM_IDLE_TIMEOUT * 1000),
  maxConnections: settings.MAX_CONNECTIONS,
  maxConcurrentStreams: settings.MAX_CONCURRENT_STREAMS,
  maxStreams: settings.MAX_STREAMS,
  maxRequestBytes: settings.MAX_REQUEST_MEMORY * 2 ** 20,
  connectionAgeMs: unlessZero(settings.MAX_CONNECTION_AGE * 1000),
  connectionIdleMs: unlessZero(settings.MAX_CONNECTION_IDLE * 1000),
  keepaliveMs: settings.KEEPALIVE_TIME * 1000,
  keepaliveLimitMs: settings.KEEPALIVE_TIMEOUT * 1000,
  tls: tlsOf(settings),
});

const tlsOf = ({ TLS_CERT, TLS_KEY, TLS_CLIENT_CA }: z.infer<typeof Settings>) =>
  TLS_CERT === undefined || TLS_KEY === undefined
    ? undefined
    : { cert: TLS_CERT, key: TLS_KEY, clientCa: TLS_CLIENT_CA };

const batchingOf = (settings: z.infer<typeof Settings>) => ({
  batchPolicy: settings.ASYNC_PROCESSING ? settings.BATCH_POLICY : ("single" as const),
  batchRows: settings.BATCH_SIZE,
  batchMinRows: settings.BATCH_SIZE_MIN,
  batchMaxRows: settings.BATCH_SIZE_MAX,
  queueTimeoutMs: Math.round(settings.QUEUE_TIMEOUT * 1000),
  brownOutMs: unlessZero(settings.BROWN_OUT_MS),
});

/** Who sets a part of it counts on being protected. */
function tlsFaults(given: Readonly<Record<string, string | undefined>>): string[] {
  const set = ["TLS_CERT", "TLS_KEY", "TLS_CLIENT_CA"].filter((name) => name in given);
  const missing = ["TLS_CERT", "TLS_KEY"].filter((name) => set.length > 0 && !set.includes(name));
  return missing.map(
    (name) =>
      `${name}: must be set too, since ${set.join(" and ")} ${set.length > 1 ? "are" : "is"}`,
  );
}

/** Of addresses with forms of their own; OTEL_* are read as the OpenTelemetry SDK reads them, from the process's environment. */
function addressFaults({ REDIS_URL }: Readonly<Record<string, string | undefined>>): string[] {
  const readers = [() => REDIS_URL !== undefined && redisTarget(REDIS_URL), traceEndpoint];
  const outcomes = readers.map((read) => settled<unknown>(read));
  return outcomes.flatMap((one) => (one.status === "rejected" ? messageOf(one.reason) : []));
}

/** Of settings that must go together, where none of them is at fault by itself. */
function faultsTogether(
  given: Readonly<Record<string, string | undefined>>,
  parsed: ReturnType<typeof Settings.safeParse>,
): string[] {
  const unreadable = new Set(parsed.error?.issues.map(({ path }) => String(path[0])));
  const readable = Object.entries(given).filter(([name]) => !unreadable.has(name));
  const { data } = parsed.success ? parsed : Settings.safeParse(Object.fromEntries(readable));
  if (data === undefined) return [];
  const faults = [...portFaults(data), ...batchFaults(data), ...jwtFaults(data)];
  return faults.filter((fault) => !fault.split(/\W+/).some((name) => unreadable.has(name)));
}

function portFaults({ GRPC_PORT, HTTP_PORT }: z.infer<typeof Settings>): string[] {
  return HTTP_PORT !== 0 && HTTP_PORT === GRPC_PORT
    ? ["HTTP_PORT: must not be that of GRPC_PORT"]
    : [];
}

function batchFaults(settings: z.infer<typeof Settings>): string[] {
  const { BATCH_SIZE_MIN, BATCH_SIZE, BATCH_SIZE_MAX } = settings;
  const faults: string[] = [];
  if (BATCH_SIZE_MIN > BATCH_SIZE) faults.push("BATCH_SIZE_MIN: must not be over BATCH_SIZE");
  if (BATCH_SIZE > BATCH_SIZE_MAX) faults.push("BATCH_SIZE: must not be over BATCH_SIZE_MAX");
  return faults;
}
