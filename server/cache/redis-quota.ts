import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.js";
import type { SharedQuota, Spent } from "../core/shared-quota.js";
import { within } from "../core/within.js";
import {
  type ConnectRedis,
  connectTo,
  type RedisConnection,
  scriptOf,
} from "./redis-connection.js";
import { RedisLink } from "./redis-link.js";
import { redisTarget } from "./redis-url.js";

/** Not among the answers, which a ClearCache removes. The version is of the keys and of how values are laid out. */
const PREFIX = "sap:quota:v1:";
/** Nobody waits for it but the next telling. */
const LIMIT_MS = 200;
/** What answers need not be a Redis. */
const NUMBER = /^-?\d{1,15}\.\d{3}$/;

/**
 * A bucket that holds a minute's worth at most, as "level milliseconds", by the time of Redis, which all servers share. What is there and is no bucket is as good as nothing: a full one. A bucket goes
 * when it would be full again. Ten minutes' worth are the deepest debt. The key comes back with what is left: an answer to something else is known by it.
 */
const TAKE = scriptOf(`
local most, spent = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept, level, at = redis.pcall('GET', KEYS[1]), nil, nil
if type(kept) == 'string' then level, at = string.match(kept, '^(%-?%d+%.?%d*) (%d+)$') end
level, at = tonumber(level), tonumber(at)
if not level or not at then level, at = most, now end
level = math.min(most, level + math.max(0, now - at) * most / 60000)
level = math.max(level - spent, -10 * most)
local full = math.max(1, math.ceil((most - level) * 60000 / most))
redis.call('SET', KEYS[1], string.format('%.3f %.0f', level, now), 'PX', string.format('%.0f', full))
return { KEYS[1], string.format('%.3f', level) }
`);

/** The quotas of all servers that have the same REDIS_URL. Connects when it is first needed. Throws a StartupError for a URL that is none. */
export function redisQuota(
  url: string,
  clock: Clock,
  connect: ConnectRedis = connectTo(redisTarget(url), clock),
): SharedQuota & AsyncDisposable {
  let link: RedisLink | undefined;

  /** Waits for a first connection, since nothing else would be in its way. */
  async function opened(): Promise<RedisLink> {
    if (link !== undefined) return link;
    link = new RedisLink(connect, LIMIT_MS, clock, () => {});
    await within(LIMIT_MS, clock, link.attempt).catch(() => {});
    return link;
  }

  return {
    async take(spent) {
      const opening = await opened();
      const { connection } = opening;
      if (connection === undefined) throw new Error("Redis is down");
      const startedMs = clock.now();
      try {
        const all = Promise.all(spent.map((one) => takeOne(connection, one)));
        const levels = await within(LIMIT_MS, clock, all);
        opening.succeeded(connection);
        return levels;
      } catch (error) {
        opening.failed(connection, startedMs, error);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await link?.[Symbol.asyncDispose]();
    },
  };
}

async function takeOne(
  connection: RedisConnection,
  { holder, tokensPerMinute, tokens }: Spent,
): Promise<number | undefined> {
  const key = keyOf(holder);
  const answer = await connection.run(TAKE, key, [String(tokensPerMinute), tokens.toFixed(3)]);
  const [itsKey, level]: unknown[] = Array.isArray(answer) ? answer : [];
  if (itsKey !== key || typeof level !== "string" || !NUMBER.test(level)) return undefined;
  return Number(level);
}

/** Holders may be addresses, or have names of other people's making. */
const keyOf = (holder: string): string =>
  `${PREFIX}${createHash("sha256").update(holder).digest("base64url")}`;
