/**
 * What callers get at and beyond saturation: unary calls come at set rates (shares of what the server does at 64 calls at once), however slow answers
 * are, and each may take a second. Goodput is answers in time; what was refused was told so. ghz asks, on the same CPUs.
 *
 *   make bench-overload [ARGS="--tier accurate --queue-timeout 0.2"]
 */
import { parseArgs } from "node:util";
import { quantile } from "../test/support/steady-load.js";
import {
  answeredPerSecond,
  createGhz,
  type GhzCall,
  openLoop,
  unaryMessages,
  warmUp,
} from "./ghz.js";
import { loopLag } from "./loop-lag.js";
import { Report } from "./report.js";
import { ratiosOf } from "./results.js";
import { HARDLY_CACHED, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

/** Of what the server does at saturation. */
const [CALM, MOST] = [0.8, 3];
const SHARES = [0.5, CALM, 1, 1.5, MOST];
const WARM_UP_S = 30;
/** A refusal should take no longer. */
const SOON_MS = 10;
const STANDARD_TIER = "balanced";
/** Of the calls a second that ghz was to make: with less it is another rate that was measured. */
const ASKED = { atLeast: 0.97, always: true };
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
    tier: { type: "string", default: STANDARD_TIER },
    "queue-timeout": { type: "string" },
  },
});
const seconds = Number(values.seconds);
const queueTimeout = values["queue-timeout"];
/** Numbers of other settings must not be taken for those of the standard ones. */
const head = [
  ...(values.tier === STANDARD_TIER ? [] : [`${values.tier}, `]),
  ...(queueTimeout === undefined ? [] : [`QUEUE_TIMEOUT=${queueTimeout}, `]),
].join("");
const tier = TIER_MESSAGES[tierNamed(values.tier)];
const texts = await lognormalTexts(4000, "triton-model-repo/sentiment_balanced/tokenizer.json");
const messages = unaryMessages(texts, tier);
await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());
const server = stack.use(
  await startServer({ ...HARDLY_CACHED, ...(queueTimeout && { QUEUE_TIMEOUT: queueTimeout }) }),
);
const { address } = server;

const saturate = async () =>
  answeredPerSecond(
    await ghz.run("unary", { address, messages, flags: ["--total", String(messages.length)] }),
  );

/** What a rate came to, round by round. */
class Rate {
  readonly goodput: number[] = [];
  readonly p50: number[] = [];
  readonly p99: number[] = [];
  readonly p99ToP50: number[] = [];
  readonly refusedP50: number[] = [];
  readonly refusedP99: number[] = [];
  readonly refusedSoon: number[] = [];
  readonly late: number[] = [];
  readonly lagP99: number[] = [];
  /** How often was asked, of how often was to be asked. */
  readonly asked: number[] = [];

  add(calls: readonly GhzCall[], saturation: number, lagMs: number): void {
    const lastMs = Math.max(...calls.map(({ endedMs, tookMs }) => endedMs - tookMs));
    this.asked.push(Math.min(1, (seconds * 1000) / lastMs));
    const took = (status: string) =>
      calls.filter((call) => call.status === status).map(({ tookMs }) => tookMs);
    const [answered, refused] = [took("OK"), took("ResourceExhausted")];
    // What is answered when no more calls come is done by a server that has the cores to itself.
    const inTime = calls.filter(
      ({ status, endedMs }) => status === "OK" && endedMs <= seconds * 1000,
    );
    const [p50, p99] = [quantile(answered, 0.5), quantile(answered, 0.99)];
    this.goodput.push(inTime.length / seconds / saturation);
    this.p50.push(p50);
    this.p99.push(p99);
    this.p99ToP50.push(p99 / p50);
    if (refused.length > 0) {
      this.refusedP50.push(quantile(refused, 0.5));
      this.refusedP99.push(quantile(refused, 0.99));
      const soon = refused.filter((tookMs) => tookMs < SOON_MS).length;
      this.refusedSoon.push((100 * soon) / refused.length);
    }
    this.late.push((100 * (calls.length - answered.length - refused.length)) / calls.length);
    this.lagP99.push(lagMs);
  }
}

const rates = SHARES.map((share) => ({ share, of: new Rate() }));
const saturation: number[] = [];
await warmUp(ghz, { address, messages });
// What refuses must have been compiled as well: on a slow CPU a refusal cost twice as much in the first 20 s of it as in the next.
await openLoop(ghz, { address, messages }, MOST * (await saturate()), WARM_UP_S);
for (let round = 0; round < Number(values.rounds); round++) {
  const most = await saturate();
  saturation.push(most);
  for (const { share, of } of rates) {
    const lag = await loopLag(server);
    const { calls } = await openLoop(ghz, { address, messages }, share * most, seconds);
    of.add(calls, most, (await lag.sinceThen()).p99Ms);
  }
}

const report = new Report(head);
report.tell("saturation", "texts/s", saturation, 0);
for (const { share, of } of rates) {
  report.tell(`at ${share}: goodput, of saturation`, "ratio", of.goodput, 3);
  report.tell(`at ${share}: answered, p50`, "ms", of.p50, 1);
  report.tell(`at ${share}: answered, p99`, "ms", of.p99, 1);
  report.tell(
    `at ${share}: answered, p99 to p50`,
    "times",
    of.p99ToP50,
    1,
    share === CALM ? { atMost: 5 } : undefined,
  );
  report.tell(`at ${share}: refused, p50`, "ms", of.refusedP50, 1);
  report.tell(
    `at ${share}: refused, p99`,
    "ms",
    of.refusedP99,
    1,
    share === MOST ? { atMost: SOON_MS } : undefined,
  );
  report.tell(`at ${share}: refused within ${SOON_MS} ms`, "%", of.refusedSoon, 1);
  report.tell(`at ${share}: too late or failed`, "%", of.late, 2);
  report.tell(`at ${share}: event-loop lag, p99`, "ms", of.lagP99, 1);
  report.tell(`at ${share}: asked, of what was to be asked`, "ratio", of.asked, 3, ASKED);
}
const best = saturation.map((_, round) =>
  Math.max(...rates.map(({ of }) => of.goodput[round] ?? 0)),
);
const most = rates.at(-1)?.of.goodput ?? [];
const ofBest = ratiosOf(most, best);
report.tell(`goodput at ${MOST}, of the best rate's`, "ratio", ofBest, 3, { atLeast: 0.9 });
await report.record("overload");
