/**
 * What tracing costs: cached unary calls a second with every call traced, with one in a hundred, and without tracing, in turns; asked by ghz, 50 calls at once. The
 * servers have one core, ghz and the collector the others.
 *
 *   make bench-tracing
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { startCollector } from "../test/support/collector.js";
import { cpuSeconds } from "./cpu-time.js";
import { createGhz, perSecond, unaryMessages } from "./ghz.js";
import { Report } from "./report.js";
import { inTurns, ratiosOf } from "./results.js";
import { callServer, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TIER = Tier.TIER_FAST;
const SERVER_CPU = "0";
const OTHER_CPUS = availableParallelism() > 1 ? `1-${availableParallelism() - 1}` : "0";
/** Nobody listens there: the collector itself is not measured. */
const NOWHERE = "http://127.0.0.1:9";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "7" } } });
const texts = await lognormalTexts(1000, "triton-model-repo/sentiment_fast/tokenizer.json");
const messages = unaryMessages(texts, TIER);
await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());
const collector = stack.use(await startCollector(NOWHERE));
const sampled = (share: number) => ({
  ...collector.env,
  OTEL_BSP_SCHEDULE_DELAY: "5000",
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: String(share),
});
const SERVERS = { "not traced": {}, "traced 1 %": sampled(0.01), "traced 100 %": sampled(1) };

const all = [];
for (const [name, env] of Object.entries(SERVERS)) {
  const started = { ENABLE_CACHING: "true", PREFETCH_MODELS: "false", ...env };
  const server = stack.use(await startServer(started, { cpus: SERVER_CPU }));
  await callServer(server.client, TIER, texts, { textsPerCall: 100, callsAtOnce: 1 });
  const microseconds: number[] = [];
  const rounds: number[] = [];
  const run = async () => {
    const before = await cpuSeconds(server.pid);
    const { address } = server;
    const ran = await ghz.run("cached", { address, messages, cpus: OTHER_CPUS });
    microseconds.push((((await cpuSeconds(server.pid)) - before) / ran.calls.length) * 1e6);
    return perSecond(ran);
  };
  all.push({ name, microseconds, turn: { rounds, run } });
}
await inTurns(
  Number(values.rounds),
  all.map(({ turn }) => turn),
);

const report = new Report();
const [plain, ...traced] = all;
for (const { name, turn, microseconds } of all) {
  report.tell(name, "calls/s", turn.rounds, 0);
  // The first turn only warms up.
  report.tell(`${name}: CPU of the server a call`, "us", microseconds.slice(1), 1);
}
for (const { name, turn } of traced)
  report.tell(
    `${name}, to not traced`,
    "ratio",
    ratiosOf(turn.rounds, plain?.turn.rounds ?? []),
    3,
  );
await report.record("tracing");
