import { setTimeout as sleep } from "node:timers/promises";
import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { millisecondsOf } from "../../test/support/milliseconds.js";
import { startRedis } from "../../test/support/redis-server.js";
import { quantile } from "../../test/support/steady-load.js";
import { cpuSeconds } from "../cpu-time.js";
import { createGhz, perSecond, unaryMessages } from "../ghz.js";
import { type BenchedServer, callServer, startServer } from "../server.js";
import { evenTexts, lognormalTexts } from "../texts.js";

const TIER = Tier.TIER_FAST;
const TOKENIZER = "triton-model-repo/sentiment_fast/tokenizer.json";
const CALLS = { textsPerCall: 100, callsAtOnce: 4 };
const UNARY_AT_ONCE = 2;
const TEXTS = 4000;
const ALONE = 400;

/** CPU seconds that `work` takes of `spent`, in microseconds a text. */
async function usPerText(
  spent: () => Promise<number>,
  texts: number,
  work: () => Promise<unknown>,
) {
  const before = await spent();
  await work();
  return (((await spent()) - before) / texts) * 1e6;
}

/** CPU of the fast model for a text of these, in microseconds, where a batch has so many rows. */
export type FastModelUs = (rows: number) => number;

/**
 * CPU of a text beside the model, in microseconds. Where the model is run: all that the process takes, less what the model alone does; threads that wake up and pass
 * batches on are in it. Asked by few at once, since calls that share a batch share that too.
 */
export async function frontUs(modelUs: FastModelUs) {
  const texts = await lognormalTexts(TEXTS, TOKENIZER);
  await using bare = await startServer();
  await using cached = await startServer({ ENABLE_CACHING: "true" });
  await using ghz = await createGhz();
  const messages = unaryMessages(texts, TIER);
  const flags = ["--concurrency", String(UNARY_AT_ONCE), "--connections", String(UNARY_AT_ONCE)];
  const unary =
    ({ address }: BenchedServer) =>
    async () =>
      perSecond(
        await ghz.run("unary", { address, messages, flags: [...flags, "--total", String(TEXTS)] }),
      );
  const batch = (server: BenchedServer) => () => callServer(server.client, TIER, texts, CALLS);
  // Compiled and filled before it counts.
  for (const warm of [batch, unary, unary])
    for (const server of [bare, cached]) await warm(server)();
  const cost = (server: BenchedServer, work: () => Promise<unknown>) =>
    usPerText(() => cpuSeconds(server.pid), TEXTS, work);
  // A difference of two measurements may come out as nothing, or less.
  const beside = (us: number, rows: number) => Math.max(1, us - modelUs(rows));
  return {
    unary: beside(await cost(bare, unary(bare)), 1),
    unaryCached: await cost(cached, unary(cached)),
    batch: beside(await cost(bare, batch(bare)), CALLS.textsPerCall),
    batchCached: await cost(cached, batch(cached)),
  };
}

/** What 95 % of the calls that are alone take beside the model at most. */
export async function aloneMs(): Promise<number> {
  const texts = await evenTexts(ALONE, TOKENIZER, 20);
  await using server = await startServer();
  const besides: number[] = [];
  for (const text of texts) {
    const startedMs = performance.now();
    const { timing } = await server.client.analyze({ text, tier: TIER, options: undefined });
    besides.push(performance.now() - startedMs - millisecondsOf(timing?.inference));
  }
  return quantile(besides.slice(ALONE / 4), 0.95);
}

/** Of a real Redis: its memory with so many answers, less that without, an answer. */
export async function redisEntryBytes(): Promise<number> {
  await using redis = await startRedis();
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.ask("INFO", "memory"))?.[1]);
  const texts = await lognormalTexts(TEXTS, TOKENIZER);
  const env = { ENABLE_CACHING: "true", REDIS_URL: redis.url, WARM_UP_FILE: "/dev/null" };
  await using server = await startServer(env);
  await sleep(500);
  const before = await used();
  await callServer(server.client, TIER, texts, CALLS);
  await sleep(1000);
  const entries = Number(/:(\d+)/.exec(await redis.ask("DBSIZE"))?.[1]);
  return ((await used()) - before) / entries;
}
