/**
 * What callers notice while the Redis that servers share is killed, frozen, slow, full or mad, from 5 s to 12 s of 20 s: 500 calls a second,
 * fast tier, each answer compared with the truth (that of a server without caches). The memory holds next to nothing, so that most texts
 * are looked for in Redis: three of five are in it already; one is new, and is asked again 0.1 s later. Before each fault and after the last
 * one is a run without Redis; a fault's p99 is compared with that of the quicker of the two beside it.
 *
 *   make bench-redis-faults [FAULTS="killed frozen"]
 */
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { CacheTier, Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { startRedis } from "../test/support/redis-server.js";
import { sentences } from "../test/support/sentences.js";
import { type LoadedCall, steadyLoad } from "../test/support/steady-load.js";
import { toxiproxyUrl } from "../test/support/toxiproxy.js";
import { summary, tookMs, truthOf } from "./faults.js";
import { FAULTS, type Scene } from "./redis-faults/scenes.js";
import { spread } from "./results.js";
import { type BenchedServer, startServer } from "./server.js";
import { seeded } from "./texts.js";

const SECONDS = 20;
const CALLS_PER_SECOND = 500;
const FAULT_MS = 5000;
const MENDED_MS = 12_000;
const WARM_UP_SECONDS = 3;
const tier = Tier.TIER_FAST;

const KNOWN = 2000;
const IN_MEMORY = 50;
/** Of five calls each; the new texts of these are asked again so many later. */
const FIVES = (CALLS_PER_SECOND * SECONDS) / 5;
const AGAIN_FIVES = 10;
const known = sentences(KNOWN + FIVES);
const fresh = known.splice(KNOWN);

function traffic(seed: number): string[] {
  const chance = seeded(seed);
  const one = () => known[Math.floor(chance() * KNOWN)] ?? "";
  return fresh.flatMap((text, five) => [
    one(),
    one(),
    one(),
    text,
    fresh[five - AGAIN_FIVES] ?? one(),
  ]);
}

const start = (env: Readonly<Record<string, string>>) =>
  startServer({ DEFAULT_TIER: "fast", PREFETCH_MODELS: "false", ...env });
const load = (
  { client }: BenchedServer,
  texts: readonly string[],
  seconds: number,
): Promise<readonly LoadedCall[]> =>
  steadyLoad({ client, tier, texts, callsPerSecond: CALLS_PER_SECOND, seconds });

const percent = (some: number, all: number) => `${((100 * some) / all).toFixed(0)} %`;

const truth = await (async () => {
  await using plain = await start({});
  return await truthOf(plain.client, tier, [...known, ...fresh]);
})();

interface Run {
  readonly calls: readonly LoadedCall[];
  /** When Redis could answer again, since the load began. */
  readonly backMs: number;
  /** Share of the machine's CPU that nobody used: with little of it, times tell of the machine and not of Redis. */
  readonly idle: string;
}

/** A server of its own, which has been asked for all texts that are known. */
async function run(scene: Scene | undefined, seed: number): Promise<Run> {
  await using server = await start({
    ENABLE_CACHING: "true",
    RESULT_CACHE_SIZE: String(IN_MEMORY),
    ...(scene && { REDIS_URL: scene.url }),
  });
  await truthOf(server.client, tier, known);
  await load(server, known, WARM_UP_SECONDS);
  const startedMs = performance.now();
  const before = cpuTimes();
  const loaded = load(server, traffic(seed), SECONDS);
  await sleep(FAULT_MS);
  await scene?.strike();
  await sleep(MENDED_MS - (performance.now() - startedMs));
  await scene?.mend();
  const backMs = performance.now() - startedMs;
  const calls = await loaded;
  const after = cpuTimes();
  return { calls, backMs, idle: percent(after.idle - before.idle, after.all - before.all) };
}

function cpuTimes() {
  const each = cpus().map(({ times }) => times);
  const idle = each.reduce((sum, times) => sum + times.idle, 0);
  const all = each.flatMap((times) => Object.values(times)).reduce((sum, ms) => sum + ms, 0);
  return { idle, all };
}

/** Until a text that was new after Redis's return came out of it: written and read. */
function usedAgain({ calls, backMs }: Run): string {
  const asked = new Map<string, number>();
  for (const { text, sentMs } of calls) asked.set(text, asked.get(text) ?? sentMs);
  const isNew = new Set(fresh);
  const first = calls.find(
    ({ text, cache }) =>
      cache === CacheTier.CACHE_TIER_REDIS && isNew.has(text) && (asked.get(text) ?? 0) >= backMs,
  );
  if (first === undefined) return "not used again";
  return `used again after ${((first.sentMs + first.tookMs - backMs) / 1000).toFixed(1)} s`;
}

function fromRedis({ calls }: Run): string {
  const shares = [0, FAULT_MS, MENDED_MS, SECONDS * 1000].map((beginMs, part, begins) => {
    const some = calls.filter(
      ({ sentMs }) => sentMs >= beginMs && sentMs < (begins[part + 1] ?? 0),
    );
    return percent(
      some.filter(({ cache }) => cache === CacheTier.CACHE_TIER_REDIS).length,
      some.length,
    );
  });
  return `from Redis before, meanwhile and after: ${shares.slice(0, -1).join(", ")}`;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const without: number[] = [];
async function withoutRedis(seed: number): Promise<number> {
  const { calls, idle } = await run(undefined, seed);
  const p99Ms = tookMs(calls, 0.99);
  without.push(p99Ms);
  say(`without Redis: ${summary(calls, truth)}; CPU ${idle} idle`);
  return p99Ms;
}

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : [...FAULTS.keys()];
say(`slow by ${toxiproxyUrl === undefined ? "a proxy in this process" : "toxiproxy"}`);
let beforeMs = await withoutRedis(0);
for (const [place, name] of names.entries()) {
  const seed = place + 1;
  const prepare = FAULTS.get(name);
  if (prepare === undefined) throw new RangeError(`no fault ${name}: ${[...FAULTS.keys()].join()}`);
  await using left = new AsyncDisposableStack();
  const redis = left.use(await startRedis({ args: ["--maxmemory-policy", "noeviction"] }));
  const ran = await run(await prepare(redis, left), seed);
  const afterMs = await withoutRedis(seed);
  const more = tookMs(ran.calls, 0.99) - Math.min(beforeMs, afterMs);
  say(
    `${name}: ${summary(ran.calls, truth)}, p99 ${more < 0 ? "" : "+"}${more.toFixed(1)} ms to without; ${usedAgain(ran)}; ${fromRedis(ran)}; CPU ${ran.idle} idle`,
  );
  beforeMs = afterMs;
}
say(`p99 without Redis: ${spread(without, 1)} ms`);
