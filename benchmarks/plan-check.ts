/**
 * The plan against a run: what one server of all CPUs here is expected to use and to take at a rate, and what it does, nothing cached. The client shares the CPUs.
 *
 *   make plan-check RATE=400 TIER=fast SECONDS=20
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { quantile } from "../test/support/steady-load.js";
import { cpuSeconds } from "./cpu-time.js";
import { createGhz, openLoop, perSecond, unaryMessages } from "./ghz.js";
import { expectedOf } from "./plan/capacity.js";
import { readCosts } from "./plan/costs.js";
import { loadOf } from "./plan/load.js";
import { type Measured, record, spread } from "./results.js";
import { startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

const WARM_UP_SECONDS = 2;
const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "400" },
    tier: { type: "string", default: "fast" },
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
    keep: { type: "boolean", default: false },
  },
});
const name = tierNamed(values.tier);
const cores = availableParallelism();
const seconds = Number(values.seconds);
const load = loadOf({ RATE: values.rate, TIERS: name, TOKENS: "20", CORES: String(cores) });
const expected = expectedOf(load, await readCosts(), 1);

const texts = await lognormalTexts(4000, `triton-model-repo/sentiment_${name}/tokenizer.json`);
const messages = unaryMessages(texts, TIER_MESSAGES[name]);
await using ghz = await createGhz();
await using server = await startServer();
const { address } = server;
const run = (forSeconds: number) => openLoop(ghz, { address, messages }, load.RATE, forSeconds);
await run(WARM_UP_SECONDS);
const measured = { cpu: [] as number[], p95: [] as number[] };
for (let round = 0; round < Number(values.rounds); round++) {
  const [before, startedMs] = [await cpuSeconds(server.pid), performance.now()];
  const done = await run(seconds);
  const tookSeconds = (performance.now() - startedMs) / 1000;
  measured.cpu.push(((await cpuSeconds(server.pid)) - before) / tookSeconds);
  // Throws where a call failed: the rate is too high here.
  perSecond(done);
  const tookMs = done.calls.map((call) => call.tookMs);
  measured.p95.push(quantile(tookMs, 0.95));
}

const what = `${name}, ${load.RATE} a second`;
process.stdout.write(
  `${what}: CPU expected ${expected.cpuCores.toFixed(2)} cores, measured ${spread(measured.cpu, 2)}; ` +
    `p95 expected ${expected.p95Ms.toFixed(1)} ms, measured ${spread(measured.p95, 1)}\n`,
);
const lines: Measured[] = [
  { what: `${what}: CPU expected`, unit: "cores", rounds: [expected.cpuCores] },
  { what: `${what}: CPU`, unit: "cores", rounds: measured.cpu },
  { what: `${what}: p95 expected`, unit: "ms", rounds: [expected.p95Ms] },
  { what: `${what}: p95`, unit: "ms", rounds: measured.p95 },
];
if (values.keep) await record("plan", lines);
