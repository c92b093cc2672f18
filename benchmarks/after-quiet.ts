/**
 * What calls cost after a quiet time: the event loop's time of a single call of fast, before nobody calls for a while, and of the first ones after it; and the
 * server's memory meanwhile. A server of its own for each round.
 *
 *   make bench-after-quiet [ARGS="--quiet 90 --rounds 3"]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { firstThreadMs } from "./cpu-time.js";
import { createGhz, unaryMessages, warmUp } from "./ghz.js";
import { Report } from "./report.js";
import { residentMb } from "./resident.js";
import { ratiosOf } from "./results.js";
import { HARDLY_CACHED, NEVER_REFUSING, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES } from "./tiers.js";

const CALLS = 4000;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    /** Seconds. V8 gives memory back some 40 to 80 after the last call. */
    quiet: { type: "string", default: "90" },
  },
});
const texts = await lognormalTexts(CALLS, "triton-model-repo/sentiment_fast/tokenizer.json");
const messages = unaryMessages(texts, TIER_MESSAGES.fast);
await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());
const before: number[] = [];
const after: number[] = [];
const mbBefore: number[] = [];
const mbAfter: number[] = [];

for (let round = 0; round < Number(values.rounds); round++) {
  await using server = await startServer({ ...HARDLY_CACHED, ...NEVER_REFUSING });
  const { address, pid } = server;
  /** Microseconds of the event loop a call. */
  const calls = async () => {
    const ms = await firstThreadMs(pid);
    await ghz.run("unary", { address, messages, flags: ["--total", String(CALLS)] });
    return ((await firstThreadMs(pid)) - ms) * (1000 / CALLS);
  };
  await warmUp(ghz, { address, messages });
  // Until all that a call does has been compiled.
  for (let warmer = 0; warmer < 5; warmer++) await calls();
  before.push(await calls());
  mbBefore.push(await residentMb(pid));
  await sleep(Number(values.quiet) * 1000);
  mbAfter.push(await residentMb(pid));
  after.push(await calls());
}

const report = new Report();
report.tell("event loop a call, before the quiet time", "us", before, 0);
report.tell(`event loop a call, the first ${CALLS} after it`, "us", after, 0);
report.tell("after to before", "ratio", ratiosOf(after, before), 2);
report.tell("memory, before the quiet time", "MB", mbBefore, 0);
report.tell("memory, at its end", "MB", mbAfter, 0);
await report.record("after-quiet");
