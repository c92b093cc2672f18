import type { CacheTier } from "./cache/cache.js";
import { memoryCache } from "./cache/memory.js";
import { redisCache } from "./cache/redis.js";
import { redisTarget } from "./cache/redis-url.js";
import { CacheKeeping } from "./cache-keeping.js";
import { type Answer, answerAnew, answerFromCaches } from "./classify/answering.js";
import { answerCodec, bytesOf, type CachedAnswer } from "./classify/cached-answer.js";
import type { Config } from "./config.js";
import type { Call } from "./core/call.js";
import type { Clock } from "./core/clock.js";
import type { HitRate } from "./observe/hit-rate.js";
import type { Log } from "./observe/log.js";
import type { Metrics } from "./observe/metrics.js";
import type { StatusReadings } from "./observe/status.js";
import type { Caches } from "./rpc/analyzer.js";

/** Of an answer with a few sentences; those with a weight for each word are larger, and then there are fewer. */
const BYTES_PER_ENTRY = 2048;
const SWEEP_MS = 300_000;
/** Under that rate a cache of this size hardly helps; told once so many texts were looked for. */
const POOR_RATE = 0.5;
const ENOUGH_LOOKUPS = 1000;
/** Of the entries, for want of memory. */
const TRIMMED_SHARE = 0.25;

/** How texts are answered, and what is kept of it. */
export interface AnswerParts extends AsyncDisposable {
  readonly answer: Answer;
  /** undefined: nothing is kept. */
  readonly caches: Caches | undefined;
  /** Takes in what the last run kept, for spaces that are served. Resolves after a second at the latest, and goes on then. */
  restore(isServed: (space: string) => boolean): Promise<void>;
  /** Keeps the answers used most for the next run. Never rejects. */
  save(): Promise<void>;
  /** Drops a quarter of what is in memory. */
  trim(): void;
  /** undefined: nothing is kept. */
  status(): ReturnType<StatusReadings["cache"]>;
}

export function makeAnswers(
  config: Config,
  clock: Clock,
  log: Log,
  metrics: Metrics,
  hitRate: HitRate,
): AnswerParts {
  const { cache } = config;
  if (cache === undefined) {
    return {
      answer: answerAnew(clock),
      caches: undefined,
      restore: async () => {},
      save: async () => {},
      trim: () => {},
      status: () => undefined,
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const options = {
    maxEntries: cache.maxEntries,
    maxBytes: cache.maxEntries * BYTES_PER_ENTRY,
    ttlMs: cache.ttlMs,
    sizeOf: bytesOf,
    random: Math.random,
  };
  const byText = memoryCache<CachedAnswer>(options, clock);
  const byReading = memoryCache<CachedAnswer>(options, clock);
  const keeping = cache.file === undefined ? undefined : openFile(cache.file, cache.ttlMs);
  const report = (tier: CacheTier, outcome: "hit" | "miss", count: number, call: Call) => {
    // Nobody asked for it: it says nothing of what the caches are worth.
    if (call.origin.isUnasked) return;
    metrics.cacheLooked(tier, outcome, count);
    // Every text is looked for in memory first.
    if (tier === "memory") hitRate.looked(count);
    if (outcome === "hit") hitRate.found(count);
  };
  let redis: NonNullable<ReturnType<StatusReadings["cache"]>>["redis"];
  const shared = cache.redisUrl === undefined ? undefined : openRedis(cache.redisUrl);
  const parts = { byText, byReading, shared, aggressive: cache.aggressive, report };

  function openFile(file: string, maxAgeMs: number) {
    const kept = new Map([
      ["text", byText],
      ["reading", byReading],
    ]);
    return new CacheKeeping({ file, codec: answerCodec, caches: kept, maxAgeMs }, clock, log);
  }

  function openRedis(url: string) {
    const { shown } = redisTarget(url);
    redis = { url: shown, state: "connecting" };
    return redisCache({ url, ttlMs: config.cache?.ttlMs ?? 0 }, answerCodec, clock, {
      // Hits and misses are counted with those of the memory; here only what went wrong.
      looked: (outcome, keys) => {
        if (outcome !== "hit" && outcome !== "miss") metrics.cacheLooked("redis", outcome, keys);
      },
      wrote: (outcome, entries) => metrics.cacheWrote(outcome, entries),
      turned: (state, why) => {
        redis = { url: shown, state };
        log[state === "up" ? "info" : "warn"]({ why, redis: shown }, `redis is ${state}`);
      },
      unclean: (why) => log.error({ why, redis: shown }, "redis was not cleared as a whole"),
    });
  }

  const forgetHere = async (space: string | undefined) => {
    await keeping?.forget();
    await byReading.clear(space);
    return await byText.clear(space);
  };

  let cancel = () => {};
  const sweep = () => {
    const swept = byText.sweep() + byReading.sweep();
    if (swept > 0) log.debug({ swept }, "expired answers dropped");
    const rate = hitRate.share ?? 1;
    if (hitRate.lookups >= ENOUGH_LOOKUPS && rate < POOR_RATE) {
      const advice =
        "few texts come again: a larger RESULT_CACHE_SIZE or CACHE_TTL may help, ENABLE_CACHING=false saves the memory";
      log.warn({ rate: Number(rate.toFixed(3)), lookups: hitRate.lookups }, advice);
    }
    cancel = clock.after(SWEEP_MS, sweep);
  };
  cancel = clock.after(SWEEP_MS, sweep);
  return {
    answer: answerFromCaches(parts, clock, config.requestTimeoutMs),
    caches: {
      async clear(tier, space) {
        let cleared = 0;
        try {
          if (tier !== "memory") cleared += (await shared?.clear(space)) ?? 0;
        } finally {
          // Also where Redis is down.
          if (tier !== "redis") cleared += await forgetHere(space);
        }
        return cleared;
      },
    },
    restore: async (isServed) => keeping?.restore(isServed),
    save: async () => keeping?.save(),
    trim() {
      const trimmed = byText.trim(TRIMMED_SHARE) + byReading.trim(TRIMMED_SHARE);
      if (trimmed === 0) return;
      metrics.cacheTrimmed(trimmed);
      const left = byText.entries + byReading.entries;
      log.warn({ trimmed, left }, "memory is short: answers dropped from the caches");
    },
    status: () => ({
      texts: byText.entries,
      readings: byReading.entries,
      ...(redis && { redis }),
    }),
    async [Symbol.asyncDispose]() {
      cancel();
      await shared?.[Symbol.asyncDispose]();
    },
  };
}
