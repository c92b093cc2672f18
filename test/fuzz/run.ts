/**
 * Fuzzes a server of its own, as `make run` starts it, and tells what came of it: test/fuzz/README.md.
 *
 *   make fuzz CALLS=1000000 SEED=7
 */
import { parseArgs } from "node:util";
import { startFuzzedServer } from "./fuzzed-server.js";
import { besiege, type Siege } from "./siege.js";
import { mebibytes } from "./vitals.js";

/** V8 gives back what it needs no more within two minutes. */
const REST_MS = 180_000;
const MOST_GROWTH = 0.1;
const SHOWN = 40;
/** Of the calls of who does nothing wrong. */
const MOST_REFUSED = 0.1;
/** Longer than any hostile call may hold up who does nothing wrong, on a busy machine of two cores. */
const MOST_SLOWEST_MS = 5000;
/** Of the calls, how many go before: what a server takes once and keeps is no leak. */
const WARM_UP_SHARE = 0.1;
const MOST_WARM_UP = 50_000;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    case: { type: "string" },
    kinds: { type: "string" },
  },
});
const seed = Number(values.seed);
const alone = values.case === undefined ? undefined : Number(values.case);
const calls = alone === undefined ? Number(values.calls) : 1;
const warmUp = alone === undefined ? Math.min(MOST_WARM_UP, Math.round(WARM_UP_SHARE * calls)) : 0;

function print({ report, canary, before, after, tookMs, faults }: Siege, stderr: string): void {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`${report.calls} cases with the seed ${seed} in ${Math.round(tookMs / 1000)} s\n`);
  say(`${report.table}\n`);
  const { calls: asked, refused, slowest } = canary;
  const [ms, queueMs, inferenceMs] = [slowest.ms, slowest.queueMs, slowest.inferenceMs].map(
    Math.round,
  );
  say(
    `canary: ${asked} calls, ${refused} refused for load; slowest ${ms} ms (queue ${queueMs}, model ${inferenceMs}), after ${Math.round(slowest.atMs / 1000)} s`,
  );
  say(`resident: ${mebibytes(before.rssBytes)} before, ${mebibytes(after.rssBytes)} after`);
  say(`open files: ${before.files} before, ${after.files} after`);
  say(`looks that found the event loop late by over 1 s: ${after.lateLooks - before.lateLooks}`);
  if (stderr !== "") say(`standard error:\n${stderr.slice(0, 4000)}`);
  say(faults.length === 0 ? "no fault" : `${faults.length} faults`);
  for (const fault of faults.slice(0, SHOWN)) say(`- ${fault}`);
  if (report.faults.length > 0) say(`a case alone: make fuzz SEED=${seed} CASE=<case>`);
}

const fuzzed = await startFuzzedServer();
const kinds = values.kinds?.split(",");
const siege = await besiege(fuzzed, {
  seed,
  calls,
  first: alone ?? 0,
  kinds,
  warmUp,
  restMs: REST_MS,
  mostGrowth: MOST_GROWTH,
}).finally(() => fuzzed[Symbol.asyncDispose]());
const { code, stderr } = await fuzzed.server.ended;
print(siege, stderr);
if (code !== 0) process.stdout.write(`the server ended with ${code}\n`);
const { calls: asked, refused } = siege.canary;
const isRefusing = refused > MOST_REFUSED * asked;
if (isRefusing)
  process.stdout.write(`over ${100 * MOST_REFUSED} % of the canary's calls were refused\n`);
const isSlow = siege.canary.slowest.ms > MOST_SLOWEST_MS;
if (isSlow) process.stdout.write(`the canary waited for over ${MOST_SLOWEST_MS / 1000} s\n`);
const isWell = siege.faults.length === 0 && stderr === "" && code === 0 && !isRefusing && !isSlow;
process.exitCode = isWell ? 0 : 1;
