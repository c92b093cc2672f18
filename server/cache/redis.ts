import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { LateError, within } from "../core/within.js";
import type { Cache, CacheKey, Codec, Hit } from "./cache.js";
import { type ConnectRedis, connectTo, type RedisConnection } from "./redis-connection.js";
import { jittered, RedisLink, type Turned, whyOf } from "./redis-link.js";
import { redisTarget } from "./redis-url.js";

/** Of all keys of ours; the version is of the keys and of how values are laid out. */
const PREFIX = "sap:v1:";
const LIMIT_MS = 20;
const CLEAR_MS = 5000;
const MOST_WRITES = 1000;
const MOST_WRITE_BYTES = 16 * 2 ** 20;

export interface RedisOptions {
  /** REDIS_URL, see redisTarget. */
  readonly url: string;
  /** Milliseconds that a value is kept, give or take a tenth: what was written together must not be missing all at once. */
  readonly ttlMs: number;
  /** Milliseconds that a `get` may take; unset: 20. */
  readonly limitMs?: number;
  /** Entries whose writing is under way; unset: 1,000. */
  readonly maxWrites?: number;
}

/** What came of looking up keys. `skipped`: Redis is down, and was not asked. */
export type LookupOutcome = "hit" | "miss" | "timeout" | "error" | "unreadable" | "skipped";
/** What came of writing entries. `dropped`: too many are under way. */
export type WriteOutcome = "written" | "error" | "dropped" | "skipped";

/** What happened, for metrics and the log. It must not throw. */
export interface RedisReport {
  /** That many keys were looked up. `why` for `error`. */
  looked(outcome: LookupOutcome, keys: number, why?: string): void;
  /** That many entries were to be written. `why` for `error`. */
  wrote(outcome: WriteOutcome, entries: number, why?: string): void;
  readonly turned: Turned;
  /** A clear could not be finished: answers that it should have removed are still given. */
  unclean(why: string): void;
}

type Looked = (...found: Parameters<RedisReport["looked"]>) => void;

/**
 * A cache in Redis, for all servers that have the same URL. While Redis is slow, full, wrong or gone everything is a miss, within
 * `limitMs`; from a few faults in a row until it answers again, at once. Throws a StartupError for a URL that is none.
 */
export function redisCache<Value>(
  options: RedisOptions,
  codec: Codec<Value>,
  clock: Clock,
  report: RedisReport,
  connect: ConnectRedis = connectTo(redisTarget(options.url), clock),
): Cache<Value> {
  const { ttlMs, limitMs = LIMIT_MS, maxWrites = MOST_WRITES } = options;
  const link = new RedisLink(connect, limitMs, clock, report.turned);
  let writes = 0;
  let writeBytes = 0;

  /** undefined: none came, and that is counted. */
  async function fetch(connection: RedisConnection, keys: readonly CacheKey[], looked: Looked) {
    const startedMs = clock.now();
    try {
      const values = await within(limitMs, clock, connection.get(keys.map(nameOf)));
      link.succeeded(connection);
      return values;
    } catch (error) {
      looked(error instanceof LateError ? "timeout" : "error", keys.length, whyOf(error));
      link.failed(connection, startedMs, error);
      return undefined;
    }
  }

  /** `bytes` may be anything: what answers need not be a Redis. */
  function read(bytes: unknown, key: CacheKey, looked: Looked): Hit<Value> | undefined {
    const value = bytes instanceof Uint8Array ? codec.decode(bytes, key) : undefined;
    if (value !== undefined) {
      looked("hit", 1);
      return { value, tier: "redis" };
    }
    looked(bytes ? "unreadable" : "miss", 1);
    return undefined;
  }

  function write(connection: RedisConnection, key: CacheKey, value: Value): void {
    const bytes = codec.encode(value, key);
    const { byteLength } = bytes;
    if (writes >= maxWrites || writeBytes + byteLength > MOST_WRITE_BYTES) {
      report.wrote("dropped", 1);
      return;
    }
    writes += 1;
    writeBytes += byteLength;
    void connection
      .set(nameOf(key), bytes, Math.max(1, Math.round(jittered(ttlMs))))
      .then(
        () => report.wrote("written", 1),
        // Says nothing of reads: a server without room refuses writes alone.
        (error) => report.wrote("error", 1, whyOf(error)),
      )
      .finally(() => {
        writes -= 1;
        writeBytes -= byteLength;
      });
  }

  return {
    async get(keys, isUnasked = false) {
      const { connection } = link;
      const looked: Looked = (...found) => {
        if (!isUnasked) report.looked(...found);
      };
      if (keys.length === 0) return [];
      if (connection === undefined) looked("skipped", keys.length);
      const values = connection && (await fetch(connection, keys, looked));
      return keys.map((key, index) => (values ? read(values[index], key, looked) : undefined));
    },

    set(entries) {
      const { connection } = link;
      if (connection === undefined) return report.wrote("skipped", entries.length);
      for (const [key, value] of entries) write(connection, key, value);
    },

    async clear(space) {
      const { connection } = link;
      const { removed, fault } =
        connection === undefined
          ? { removed: 0, fault: new Error("it cannot be reached") }
          : await removeAll(connection, patternOf(space), clock);
      if (fault === undefined) return removed;
      const why = whyOf(fault);
      report.unclean(why);
      throw unclean(removed, why);
    },

    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}

const unclean = (removed: number, why: string) =>
  new ServiceError(
    "CACHE_DOWN",
    `Redis was not cleared as a whole (${why}): ${removed} of its answers are gone, the others are still given. Ask again when it is up.`,
    { retryAfterMs: CLEAR_MS },
  );

const nameOf = ({ space, hash }: CacheKey) => `${PREFIX}${space}:${hash}`;

/** As a glob. */
const patternOf = (space: string | undefined) =>
  space === undefined ? `${PREFIX}*` : `${PREFIX}${space.replace(/[*?[\]\\^]/g, "\\$&")}:*`;

/** Removes the keys that match, as far as CLEAR_MS and faults allow. Never rejects. */
async function removeAll(connection: RedisConnection, pattern: string, clock: Clock) {
  let removed = 0;
  let over = false;
  const pages = async () => {
    for await (const keys of connection.scan(pattern)) {
      if (over) break;
      if (keys.length > 0) removed += await connection.unlink(keys);
    }
  };
  try {
    await within(CLEAR_MS, clock, pages());
    return { removed, fault: undefined };
  } catch (fault) {
    over = true;
    return { removed, fault };
  }
}
