/**
 * What one key notices of another. Both have the same quota, twice what the calm one sends at a steady rate, however slow answers are; the noisy one sends ten times
 * that quota. Rounds without it and with it take turns; what it had saved up is used before each. ghz asks for the calm one, so that only the server's time is in
 * its latencies.
 *
 *   make bench-neighbour
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Metadata } from "nice-grpc";
import { addLimitedKey } from "../test/support/limited-keys.js";
import { outcomeOf } from "../test/support/status-details.js";
import { type LoadedCall, quantile, steadyLoad } from "../test/support/steady-load.js";
import { createGhz, type GhzCall, openLoop, unaryMessages } from "./ghz.js";
import { type Measured, ratiosOf, record, spread } from "./results.js";
import { startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

/** Of the texts, on average; and what a token of each tier counts by default. */
const TOKENS = 20;
const SPECIAL_TOKENS = 2;
const WEIGHTS = { fast: 1, balanced: 2, accurate: 10 };
const TIMES_ITS_NEED = 2;
const TIMES_ITS_QUOTA = 10;
/** Texts of a call that uses up what is left of a quota, first by many, then by few. */
const BATCHES = [100, 10, 1];
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "10" },
    rate: { type: "string", default: "20" },
    tier: { type: "string", default: "balanced" },
  },
});
const seconds = Number(values.seconds);
/** Calls a second. */
const calmRate = Number(values.rate);
const quotaRate = TIMES_ITS_NEED * calmRate;
const noisyRate = TIMES_ITS_QUOTA * quotaRate;
const tierName = tierNamed(values.tier);
const tier = TIER_MESSAGES[tierName];
const tokensPerMinute = Math.round(quotaRate * TOKENS * WEIGHTS[tierName] * 60);

await using stack = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "sentiment-neighbour-"));
stack.defer(() => rm(folder, { recursive: true }));
const file = join(folder, "keys.json");
const calmKey = await addLimitedKey(file, "calm", tokensPerMinute);
const noisyKey = await addLimitedKey(file, "noisy", tokensPerMinute);
const texts = await lognormalTexts(4000, "triton-model-repo/sentiment_balanced/tokenizer.json");
const messages = unaryMessages(texts, tier);
const ghz = stack.use(await createGhz());
const { address, client } = stack.use(await startServer({ API_KEYS_FILE: file }));

const metadata = Metadata({ "x-api-key": noisyKey });
const flags = ["--metadata", JSON.stringify({ "x-api-key": calmKey })];
const calm = async () =>
  (await openLoop(ghz, { address, messages, flags }, calmRate, seconds)).calls;

/** What the noisy one has saved up would make it louder than ten times its quota. */
async function useUp(): Promise<void> {
  for (const size of BATCHES) {
    const request = { texts: texts.slice(0, size), tier, options: undefined };
    const ask = () =>
      outcomeOf((options) => client.analyzeBatch(request, { ...options, metadata }));
    while ("answer" in (await ask()));
  }
}

/** Latencies of the calm one, round by round. */
class Latencies {
  readonly p50: number[] = [];
  readonly p99: number[] = [];
  readonly failed: number[] = [];

  add(calls: readonly GhzCall[]): void {
    const tookMs = calls.map((call) => call.tookMs);
    this.p50.push(quantile(tookMs, 0.5));
    this.p99.push(quantile(tookMs, 0.99));
    this.failed.push(calls.filter(({ status }) => status !== "OK").length);
  }
}

const alone = new Latencies();
const beside = new Latencies();
const noise = { refused: [] as number[], let: [] as number[], untold: [] as number[] };

/** Its words are one token each. */
const tokensOf = (text: string) => text.split(" ").length + SPECIAL_TOKENS;

/** What is short finds room more often: so what was let in is told in tokens. */
function heard(calls: readonly LoadedCall[]): void {
  const failures = calls.flatMap(({ failure }) => failure ?? []);
  const told = failures.filter(
    ({ reason, retryAfterSeconds }) => reason === "RATE_LIMITED" && retryAfterSeconds !== undefined,
  );
  noise.refused.push((100 * failures.length) / calls.length);
  const answered = calls.filter(({ failure }) => failure === undefined);
  const tokens = answered.reduce((sum, { text }) => sum + tokensOf(text), 0);
  noise.let.push((tokens * WEIGHTS[tierName] * 60) / seconds / tokensPerMinute);
  noise.untold.push(failures.length - told.length);
}

await calm();
for (let round = 0; round < Number(values.rounds); round++) {
  alone.add(await calm());
  await useUp();
  const noisy = steadyLoad({ client, tier, texts, callsPerSecond: noisyRate, seconds, metadata });
  beside.add(await calm());
  heard(await noisy);
}

const measured: Measured[] = [];
const tell = (what: string, unit: string, rounds: readonly number[], digits: number) => {
  process.stdout.write(`${what}: ${spread(rounds, digits)} ${unit}\n`);
  measured.push({ what, unit, rounds });
};
const rates = `${tierName}, ${calmRate} calls/s, quota ${quotaRate}, noise ${noisyRate}`;
for (const [name, { p50, p99, failed }] of Object.entries({ alone, beside })) {
  tell(`${rates}: ${name}, p50`, "ms", p50, 2);
  tell(`${rates}: ${name}, p99`, "ms", p99, 2);
  tell(`${rates}: ${name}, failed`, "calls", failed, 0);
}
tell(`${rates}: p50, beside to alone`, "times", ratiosOf(beside.p50, alone.p50), 2);
tell(`${rates}: p99, beside to alone`, "times", ratiosOf(beside.p99, alone.p99), 2);
tell(`${rates}: the noisy one's calls that were refused`, "%", noise.refused, 1);
tell(`${rates}: tokens that were let in, of its quota`, "ratio", noise.let, 2);
tell(`${rates}: refused otherwise than RATE_LIMITED with RetryInfo`, "calls", noise.untold, 0);
await record("noisy-neighbour", measured);
