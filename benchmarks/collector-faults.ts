/**
 * What callers notice while the OpenTelemetry Collector that takes their traces is killed or frozen, from 5 s on of 15 s: 500 calls a second, fast tier, every
 * call traced, each answer compared with the truth. Runs with a collector that is well and with one that is not take turns on one server each.
 *
 *   make bench-collector-faults
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { type Collector, startCollector } from "../test/support/collector.js";
import { countsOf, scrape } from "../test/support/scrape.js";
import { sentences } from "../test/support/sentences.js";
import { receiveSpans } from "../test/support/span-receiver.js";
import { steadyLoad, wrongOf } from "../test/support/steady-load.js";
import { summary, tookMs, truthOf } from "./faults.js";
import { Report } from "./report.js";
import { ratiosOf } from "./results.js";
import { startServer } from "./server.js";

const SECONDS = 15;
const FAULT_MS = 5000;
const CALLS_PER_SECOND = 500;
const tier = Tier.TIER_FAST;
const texts = sentences(1000);

const FAULTS: Readonly<Record<string, (collector: Collector) => void | Promise<void>>> = {
  well: () => {},
  killed: (collector) => collector.kill(),
  frozen: (collector) => collector.freeze(),
};
const start = (env: Readonly<Record<string, string>>) =>
  startServer({ DEFAULT_TIER: "fast", PREFETCH_MODELS: "false", ...env });
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const truth = await (async () => {
  await using plain = await start({});
  return await truthOf(plain.client, tier, texts);
})();

/** Calls that failed or were answered wrongly, of each run. */
const amiss: number[] = [];

/** The p99 of the calls from the fault on, in milliseconds. */
async function run(name: string): Promise<number> {
  await using receiver = await receiveSpans();
  await using collector = await startCollector(receiver.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "");
  await using server = await start(collector.env);
  const { client } = server;
  const load = { client, tier, texts, callsPerSecond: CALLS_PER_SECOND };
  await steadyLoad({ ...load, seconds: 2 });
  const loaded = steadyLoad({ ...load, seconds: SECONDS });
  await sleep(FAULT_MS);
  await FAULTS[name]?.(collector);
  const calls = await loaded;
  const spans = countsOf(await scrape(server.opsAddress ?? ""), "sentiment_spans_total");
  const counted = Object.entries(spans)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(", ");
  process.stdout.write(`${name}: ${summary(calls, truth)}; spans: ${counted}\n`);
  amiss.push(calls.filter(({ failure }) => failure).length + wrongOf(calls, truth).length);
  return tookMs(
    calls.filter(({ sentMs }) => sentMs >= FAULT_MS),
    0.99,
  );
}

const p99 = new Map(Object.keys(FAULTS).map((name) => [name, [] as number[]]));
for (let round = 0; round < Number(values.rounds); round++)
  for (const [name, rounds] of p99) rounds.push(await run(name));

const report = new Report();
const well = p99.get("well") ?? [];
for (const [name, rounds] of p99) {
  report.tell(`${name}: p99`, "ms", rounds, 1);
  if (rounds !== well) report.tell(`${name}: p99, of well`, "ratio", ratiosOf(rounds, well), 3);
}
report.tell("failed or wrong", "calls", amiss, 0, { atMost: 0, always: true });
await report.record("collector-faults");
