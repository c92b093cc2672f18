/**
 * Chaos: the server as two processes, with a real Triton, Redis and collector of traces, under a steady load, while every few seconds one of these parts is
 * killed or frozen and mended again (test/chaos/scenario.ts; the same with the same seed). Every answer is compared with what a quiet server said before; no
 * call may fail. Ends with exit code 1 where one did, or where a part was never used.
 *
 *   make chaos [MINUTES=10] [SEED=1]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Measured, record } from "../../benchmarks/results.js";
import { seeded } from "../../benchmarks/texts.js";
import { repositoryCopy } from "../support/repository-copy.js";
import { ChaosLoad, TEXTS, TIERS } from "./load.js";
import { startParts } from "./parts.js";
import { type Fault, partOf, scenario } from "./scenario.js";
import { type Struck, type Summary, summaryOf } from "./summary.js";
import { truthsOf } from "./truth.js";

const MINUTE_MS = 60_000;
/** After a part is back the server has to find out. */
const RECOVERY_MS = 2000;
/** The load is far below what one process does. */
const MOST_REFUSED = 0.01;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    record: { type: "boolean", default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const say = (line: string) => process.stdout.write(`${line}\n`);

// What was started ends with this process, unless a signal does.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => process.exit(1));
await using left = new AsyncDisposableStack();
const models = left.use(await repositoryCopy("fast", "balanced"));
const truths = await truthsOf(models.folder, TEXTS, TIERS);
const parts = await startParts(models.folder, left, seeded(seed + 1));
const faults = scenario(minutes * MINUTE_MS, seeded(seed));
say(`${faults.length} faults in ${minutes} minutes, seed ${seed}; traces go to ${parts.telemetry}`);

const load = left.use(new ChaosLoad(parts.address, truths, seeded(seed + 2)));
const over = new AbortController();
const loaded = load.run(over.signal);
const struck = await happen(faults);
await sleep(minutes * MINUTE_MS - load.nowMs);
over.abort();
const summary = summaryOf(await loaded, struck);
report(summary);
if (values.record) await recordAll(summary);
const { right, wrong, refused, failed } = summary.outcomes;
const isRefusing = refused > MOST_REFUSED * (right + wrong + refused + failed);
if (isRefusing) say(`over ${100 * MOST_REFUSED} % were refused`);
const isDown = (atMs: number) => struck.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);
const streamFaults = load.streamFaults(isDown);
for (const fault of streamFaults) say(fault);
// A part that nobody uses may fail as it likes.
const seen = {
  faults: struck.length,
  "right answers": right,
  "answers out of Redis": load.origins.redis,
  "answers made by Triton": load.origins.triton,
  "spans taken by the collector": await parts.traced(),
};
for (const [what, count] of Object.entries(seen)) say(`${what}: ${count}`);
const isIdle = Object.values(seen).includes(0);
if (isIdle) say("none of these may be 0");
if (wrong + failed + streamFaults.length > 0 || isRefusing || isIdle) process.exitCode = 1;

/** Each fault at its time; resolves once all are mended, with when each began and ended. */
async function happen(all: readonly Fault[]): Promise<readonly Struck[]> {
  const mended = new Map<string, Promise<unknown>>();
  const struck = all.map(async ({ name, atMs, forMs }) => {
    const before = mended.get(partOf(name));
    const { promise, resolve } = Promise.withResolvers<void>();
    mended.set(partOf(name), promise);
    await before;
    await sleep(Math.max(0, atMs - load.nowMs));
    const fromMs = load.nowMs;
    const mend = await parts.strike(name);
    await sleep(forMs);
    await mend();
    say(
      `${(fromMs / 1000).toFixed(1)} s: ${name}, for ${((load.nowMs - fromMs) / 1000).toFixed(1)} s`,
    );
    resolve();
    return { name, fromMs, toMs: load.nowMs + RECOVERY_MS };
  });
  return await Promise.all(struck);
}

function report({ outcomes, retries, quiet, faulty, faults: happened, details }: Summary): void {
  const { right, wrong, refused, failed } = outcomes;
  const times = ({ p50, p99, most }: Summary["quiet"]) =>
    `${[p50, p99, most].map((ms) => ms.toFixed(1)).join("/")} ms`;
  for (const [name, count] of Object.entries(happened)) say(`${name}: ${count}`);
  for (const [what, count] of Object.entries(parts.told()))
    say(`the server told of ${what}: ${count}`);
  say(
    `${right + wrong + refused + failed} calls: ${wrong} wrong, ${failed} failed, ${refused} refused; ${retries} tries again; scores off by ${load.farthest} at most`,
  );
  say(
    `p50/p99/most of ${quiet.calls} calls in quiet times ${times(quiet)}, of ${faulty.calls} in faulty ones ${times(faulty)}`,
  );
  for (const [detail, count] of Object.entries(details)) say(`${count} times ${detail}`);
}

async function recordAll({ outcomes, retries, quiet, faulty, faults: happened }: Summary) {
  const one = (what: string, unit: string, value: number): Measured => ({
    what,
    unit,
    rounds: [value],
  });
  const calls = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  await record(
    "chaos",
    [
      one("calls", "calls", calls),
      one("wrong", "calls", outcomes.wrong),
      one("failed", "calls", outcomes.failed),
      one("refused", "calls", outcomes.refused),
      one("tries after the first", "tries", retries),
      one("p50, quiet", "ms", quiet.p50),
      one("p99, quiet", "ms", quiet.p99),
      one("p50, while something is down", "ms", faulty.p50),
      one("p99, while something is down", "ms", faulty.p99),
    ],
    { seed, minutes, faults: happened },
  );
}
