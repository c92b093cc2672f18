/**
 * What texts of 10,000 characters cost those who ask about short ones, read on the event loop (TOKENIZERS_PARALLELISM=false) and in threads of their own
 * (true): latencies of short calls at a set rate beside a few long ones, event-loop lag and the CPU time of its thread (which other work on the machine
 * hardly changes), and texts a second of batches with long texts among them. Two servers, one of each kind, in turns. ghz asks for the short ones, on the
 * same CPUs.
 *
 *   make bench-long-texts
 */
import { parseArgs } from "node:util";
import { LongText } from "../server/gen/sentiment/v1/sentiment.js";
import { atRate, quantile } from "../test/support/steady-load.js";
import { cpuSeconds, firstThreadMs } from "./cpu-time.js";
import { createGhz, openLoop, unaryMessages } from "./ghz.js";
import { loopLag } from "./loop-lag.js";
import { Report } from "./report.js";
import { ratiosOf } from "./results.js";
import { type BenchedServer, callServer, startServer } from "./server.js";
import { lognormalTexts, longTexts, mixedTexts } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "5" },
    /** Short calls a second, and long ones. */
    rate: { type: "string", default: "50" },
    long: { type: "string", default: "2" },
    tier: { type: "string", default: "fast" },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const tier = TIER_MESSAGES[tierNamed(values.tier)];
const LENGTH = 10_000;
const TOKENIZER = "triton-model-repo/sentiment_fast/tokenizer.json";
const BATCH = { textsPerCall: 32, callsAtOnce: 4 };

const { prose, words, ideographs } = await longTexts(TOKENIZER, 2);
const short = unaryMessages(await lognormalTexts(4000, TOKENIZER), tier);
await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());
/** On a busy machine long texts would be refused, and no two rounds do the same. */
const PATIENT = { QUEUE_TIMEOUT: "60", REQUEST_TIMEOUT: "60" };
const SERVERS = {
  loop: stack.use(await startServer({ ...PATIENT, TOKENIZERS_PARALLELISM: "false" })),
  threads: stack.use(await startServer({ ...PATIENT, TOKENIZERS_PARALLELISM: "true" })),
};
type Way = keyof typeof SERVERS;

const report = new Report();

/** A number that both ways came to, round by round. */
class Pair {
  readonly loop: number[] = [];
  readonly threads: number[] = [];

  tell(what: string, unit: string, digits: number): void {
    report.tell(`${what}, on the loop`, unit, this.loop, digits);
    report.tell(`${what}, in threads`, unit, this.threads, digits);
    report.tell(`${what}, threads to loop`, "times", ratiosOf(this.threads, this.loop), 2);
  }
}

/** Which is first changes from round to round, so that neither is always behind the other. */
async function inTurns(one: (way: Way, server: BenchedServer, counts: boolean) => Promise<void>) {
  for (let round = -1; round < rounds; round++) {
    const ways = Object.entries(SERVERS) as [Way, BenchedServer][];
    if (round % 2 === 0) ways.reverse();
    for (const [way, server] of ways) await one(way, server, round >= 0);
  }
}

type Make = typeof prose;

async function longCalls({ client }: BenchedServer, make: Make, longText: LongText) {
  const options = { longText, sentences: false, explain: false, skipCache: false };
  return await atRate({ callsPerSecond: Number(values.long), seconds }, async () => {
    const text = make(LENGTH);
    const startedMs = performance.now();
    await client.analyze({ text, tier, options });
    return performance.now() - startedMs;
  });
}

async function besideLong(kind: string, make: Make, how: "WINDOWS" | "TRUNCATE") {
  const [p50, p99, long] = [new Pair(), new Pair(), new Pair()];
  const [lag, cpu] = [new Pair(), new Pair()];
  await inTurns(async (way, server, counts) => {
    const looking = await loopLag(server);
    const beforeMs = await firstThreadMs(server.pid);
    const options = { address: server.address, messages: short };
    const [longMs, { calls }] = await Promise.all([
      longCalls(server, make, LongText[`LONG_TEXT_${how}`]),
      openLoop(ghz, options, Number(values.rate), seconds),
    ]);
    const cpuMs = (await firstThreadMs(server.pid)) - beforeMs;
    const { p99Ms } = await looking.sinceThen();
    if (!counts) return;
    const tookMs = calls.map((call) => call.tookMs);
    p50[way].push(quantile(tookMs, 0.5));
    p99[way].push(quantile(tookMs, 0.99));
    lag[way].push(p99Ms);
    cpu[way].push(cpuMs / seconds);
    long[way].push(quantile(longMs, 0.5));
  });
  const what = `${kind}, ${how.toLowerCase()}`;
  p50.tell(`${what}: short calls, p50`, "ms", 2);
  p99.tell(`${what}: short calls, p99`, "ms", 2);
  lag.tell(`${what}: event-loop lag, p99 at most`, "ms", 0);
  cpu.tell(`${what}: CPU time of the event loop`, "ms a second", 1);
  long.tell(`${what}: long calls, p50`, "ms", 1);
}

async function throughput(what: string, texts: readonly string[]) {
  const [done, loop, all] = [new Pair(), new Pair(), new Pair()];
  await inTurns(async (way, { client, pid }, counts) => {
    const before = [await firstThreadMs(pid), await cpuSeconds(pid)] as const;
    const perSecond = await callServer(client, tier, texts, BATCH);
    if (!counts) return;
    done[way].push(perSecond);
    loop[way].push((((await firstThreadMs(pid)) - before[0]) * 1000) / texts.length);
    all[way].push((((await cpuSeconds(pid)) - before[1]) * 1e6) / texts.length);
  });
  done.tell(`AnalyzeBatch, ${what}`, "texts/s", 0);
  loop.tell(`AnalyzeBatch, ${what}: CPU time of the event loop`, "us a text", 1);
  all.tell(`AnalyzeBatch, ${what}: CPU time of the server`, "us a text", 0);
}

await besideLong("prose", prose, "WINDOWS");
await besideLong("words of a hundred letters", words, "WINDOWS");
await besideLong("ideographs", ideographs, "WINDOWS");
await besideLong("ideographs", ideographs, "TRUNCATE");
await throughput("short texts", await lognormalTexts(2000, TOKENIZER, 3));
await throughput(
  "four fifths around 15 tokens, one fifth around 200",
  await mixedTexts(1000, TOKENIZER),
);
const withLong = await lognormalTexts(1000, TOKENIZER, 4);
await throughput(
  "short texts, one in 50 of them prose of 10,000 characters",
  withLong.map((text, place) => (place % 50 === 0 ? prose(LENGTH) : text)),
);
await report.record("long-texts");
