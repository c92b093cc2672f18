/**
 * Unary calls a second that are answered from memory, as a ratio to bare servers that answer with the same messages: nice-grpc, which the server is made
 * with, and grpc-js below it; and texts a second of AnalyzeBatch, 100 a call, from memory too. All are asked by ghz, 50 calls at once (batches: 8), in turns; each has one core, and ghz the
 * others. ghz is the slower side, so the CPU time that a call costs the server is told too.
 *
 *   make bench-cached
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { cpuSeconds } from "./cpu-time.js";
import { batchMessages, createGhz, perSecond, type Scenario, unaryMessages } from "./ghz.js";
import { Report } from "./report.js";
import { type InTurn, inTurns, ratiosOf } from "./results.js";
import { type BenchedServer, callServer, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TEXTS = 1000;
const TIER = Tier.TIER_UNSPECIFIED;
const SERVER_CPU = "0";
const GHZ_CPUS = availableParallelism() > 1 ? `1-${availableParallelism() - 1}` : "0";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const TEXTS_PER_BATCH = 100;
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_balanced/tokenizer.json");
const unary = unaryMessages(texts, TIER);
const batches = batchMessages(texts, TIER, TEXTS_PER_BATCH);
await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());

/** Calls a second, and microseconds of the server's CPU time for each. */
function turnsOf(
  server: BenchedServer,
  scenario: Scenario = "cached",
  messages: readonly Uint8Array[] = unary,
  flags: readonly string[] = [],
) {
  const microseconds: number[] = [];
  const turn: InTurn = {
    rounds: [],
    async run() {
      const before = await cpuSeconds(server.pid);
      const { address } = server;
      const run = await ghz.run(scenario, { address, messages, flags, cpus: GHZ_CPUS });
      microseconds.push((((await cpuSeconds(server.pid)) - before) / run.calls.length) * 1e6);
      return perSecond(run);
    },
  };
  // The first turn only warms up.
  return { turn, cpu: () => microseconds.slice(1) };
}

const bare = (kind: string) => ["dist/benchmarks/echo-server.js", kind];
const NEAREST = "bare nice-grpc";
const started = {
  [NEAREST]: await startServer({}, { script: bare("nice-grpc"), cpus: SERVER_CPU }),
  "bare grpc-js": await startServer({}, { script: bare("grpc-js"), cpus: SERVER_CPU }),
  "cached Analyze": await startServer({ ENABLE_CACHING: "true" }, { cpus: SERVER_CPU }),
};
for (const server of Object.values(started)) stack.use(server);
await callServer(started["cached Analyze"].client, TIER, texts, {
  textsPerCall: 100,
  callsAtOnce: 1,
});
const all = Object.entries(started).map(([name, server]) => ({ name, ...turnsOf(server) }));
const ofBatches = turnsOf(started["cached Analyze"], "batch", batches, [
  ...["--duration", "5s", "--duration-stop", "wait"],
]);
await inTurns(Number(values.rounds), [...all.map(({ turn }) => turn), ofBatches.turn]);

const cached = all[2] as (typeof all)[number];
const report = new Report();
for (const { name, turn, cpu } of all) {
  report.tell(name, "calls/s", turn.rounds, 0);
  report.tell(`${name}: CPU of the server a call`, "us", cpu(), 1);
}
const textsPerSecond = ofBatches.turn.rounds.map((value) => value * TEXTS_PER_BATCH);
report.tell("cached AnalyzeBatch", "texts/s", textsPerSecond, 0);
const cpuOfText = ofBatches.cpu().map((value) => value / TEXTS_PER_BATCH);
report.tell("cached AnalyzeBatch: CPU of the server a text", "us", cpuOfText, 1);
for (const { name, turn, cpu } of all.slice(0, 2)) {
  const ratios = ratiosOf(cached.turn.rounds, turn.rounds);
  const wanted = name === NEAREST ? { atLeast: 0.85 } : undefined;
  report.tell(`cached Analyze, to ${name}`, "ratio", ratios, 3, wanted);
  report.tell(`cached Analyze, to ${name}, by CPU time`, "ratio", ratiosOf(cpu(), cached.cpu()), 3);
}
await report.record("cached-unary");
