/**
 * What one key notices of another. Both have the same quota, twice what the calm one sends at a steady rate, however slow answers are. Rounds without the other, with
 * one that keeps to its quota, and with one that sends ten times as much take turns; what it had saved up is used before each. ghz asks for the calm one, so that
 * only the server's time is in its latencies; the other's client gets CPU time only when nobody else wants any.
 *
 *   make bench-neighbour
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { addLimitedKey } from "../test/support/limited-keys.js";
import { quantile } from "../test/support/steady-load.js";
import { createGhz, type GhzCall, openLoop, unaryMessages } from "./ghz.js";
import type { Heard, Order } from "./noisy-neighbour/noise.js";
import { Report } from "./report.js";
import { ratiosOf } from "./results.js";
import { HARDLY_CACHED, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

/** Of the texts, on average; and what a token of each tier counts by default. */
const TOKENS = 20;
const WEIGHTS = { fast: 1, balanced: 2, accurate: 10 };
/** Until V8 has compiled what refusals run they take more of the CPU, and compiling takes the rest: p99 beside noise was 1.9 and 1.4 times that alone in the first two rounds of 30 s, and then 1.2, 1.0 and 1.0. */
const WARM_UP_ROUNDS = 2;
/** That the slowest hundredth may take as long as without the other. */
const P99_TIMES = { atMost: 1.2 };
/** Who is not answered is soon done. */
const NONE = { atMost: 0, always: true };
const TIMES_ITS_NEED = 2;
const TIMES_ITS_QUOTA = 10;
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
const { address } = stack.use(await startServer({ ...HARDLY_CACHED, API_KEYS_FILE: file }));
const flags = ["--metadata", JSON.stringify({ "x-api-key": calmKey })];
const calm = async () =>
  (await openLoop(ghz, { address, messages, flags }, calmRate, seconds)).calls;

const script = new URL("./noisy-neighbour/noise.js", import.meta.url).pathname;
const args = [script, address, noisyKey, tierName, String(seconds)];
const idle = ["--idle", "0", process.execPath, ...args];
const other = spawn("chrt", idle, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
stack.defer(() => void other.kill());
const gone = new AbortController();
other.once("exit", () => gone.abort(new Error("the other key's client has ended")));
const told = async () => (await once(other, "message", { signal: gone.signal }))[0];
await told();

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

/** What the other one has heard, round by round. */
class Noise {
  readonly refused: number[] = [];
  readonly let: number[] = [];
  readonly untold: number[] = [];

  add({ calls, refused, untold, tokens }: Heard): void {
    this.refused.push((100 * refused) / calls);
    this.let.push((tokens * WEIGHTS[tierName] * 60) / seconds / tokensPerMinute);
    this.untold.push(untold);
  }
}

const alone = new Latencies();
const others = Object.entries({ "one that keeps to its quota": quotaRate, noise: noisyRate }).map(
  ([name, rate]) => ({ name, rate, calm: new Latencies(), noise: new Noise() }),
);

for (let round = -WARM_UP_ROUNDS; round < Number(values.rounds); round++) {
  const counts = round >= 0;
  const calmAlone = await calm();
  if (counts) alone.add(calmAlone);
  for (const { rate, calm: latencies, noise } of others) {
    other.send({ rate } satisfies Order);
    await told();
    const [calls, heard] = await Promise.all([calm(), told()]);
    if (!counts) continue;
    latencies.add(calls);
    noise.add(heard as Heard);
  }
}

const rates = `${tierName}, ${calmRate} calls/s, quota ${quotaRate}, noise ${noisyRate}`;
const report = new Report(`${rates}: `);
const latencies = {
  alone,
  ...Object.fromEntries(others.map((one) => [`beside ${one.name}`, one.calm])),
};
for (const [name, { p50, p99, failed }] of Object.entries(latencies)) {
  report.tell(`${name}, p50`, "ms", p50, 2);
  report.tell(`${name}, p99`, "ms", p99, 2);
  report.tell(`${name}, failed`, "calls", failed, 0, NONE);
}
for (const { name, calm: beside } of others) {
  report.tell(`p50, beside ${name} to alone`, "times", ratiosOf(beside.p50, alone.p50), 2);
  report.tell(
    `p99, beside ${name} to alone`,
    "times",
    ratiosOf(beside.p99, alone.p99),
    2,
    P99_TIMES,
  );
}
const [besideKept = [], besideNoise = []] = others.map((one) => one.calm.p99);
// A server that is asked more often is quicker: this is the most that the noise can be said to cost.
const toKept = ratiosOf(besideNoise, besideKept);
report.tell(`p99, beside noise to beside ${others[0]?.name}`, "times", toKept, 2);
for (const { name, noise } of others) {
  report.tell(`${name}: calls that were refused`, "%", noise.refused, 1);
  report.tell(`${name}: tokens that were let in, of its quota`, "ratio", noise.let, 2);
  const untold = `${name}: refused otherwise than RATE_LIMITED with RetryInfo`;
  report.tell(untold, "calls", noise.untold, 0, NONE);
}
await report.record("noisy-neighbour");
