/**
 * What calls cost after a quiet time: the event loop's time of a single call of fast, before nobody calls for a while, and of the first ones after it; and the
 * server's memory meanwhile. In each round there are two new servers: as it is shipped, and with MEMORY_OPTIMIZATION=false, where V8 gives memory back.
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
import { type BenchedServer, HARDLY_CACHED, NEVER_REFUSING, startServer } from "./server.js";
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

/** Numbers of one kind of server, round by round. */
class Kind {
  readonly env: Readonly<Record<string, string>>;
  readonly before: number[] = [];
  readonly after: number[] = [];
  readonly mbBefore: number[] = [];
  readonly mbAfter: number[] = [];

  constructor(env: Readonly<Record<string, string>>) {
    this.env = env;
  }
}
const kinds = {
  "keeping code": new Kind({}),
  "giving memory back": new Kind({ MEMORY_OPTIMIZATION: "false" }),
};

/** Microseconds of the event loop a call. */
async function callsTo({ address, pid }: BenchedServer): Promise<number> {
  const ms = await firstThreadMs(pid);
  await ghz.run("unary", { address, messages, flags: ["--total", String(CALLS)] });
  return ((await firstThreadMs(pid)) - ms) * (1000 / CALLS);
}

for (let round = 0; round < Number(values.rounds); round++) {
  await using servers = new AsyncDisposableStack();
  const started: [Kind, BenchedServer][] = [];
  // Who waits longer alternates.
  for (const kind of round % 2 === 0 ? Object.values(kinds) : Object.values(kinds).reverse()) {
    const env = { ...HARDLY_CACHED, ...NEVER_REFUSING, ...kind.env };
    const server = servers.use(await startServer(env));
    await warmUp(ghz, { address: server.address, messages });
    // Until all that a call does has been compiled.
    for (let warmer = 0; warmer < 5; warmer++) await callsTo(server);
    kind.before.push(await callsTo(server));
    kind.mbBefore.push(await residentMb(server.pid));
    started.push([kind, server]);
  }
  await sleep(Number(values.quiet) * 1000);
  for (const [kind, server] of started) {
    kind.mbAfter.push(await residentMb(server.pid));
    kind.after.push(await callsTo(server));
  }
}

const report = new Report();
for (const [name, { before, after, mbBefore, mbAfter }] of Object.entries(kinds)) {
  report.tell(`${name}: event loop a call, before the quiet time`, "us", before, 0);
  report.tell(`${name}: event loop a call, the first ${CALLS} after it`, "us", after, 0);
  report.tell(`${name}: after to before`, "ratio", ratiosOf(after, before), 2);
  report.tell(`${name}: memory, before the quiet time`, "MB", mbBefore, 0);
  report.tell(`${name}: memory, at its end`, "MB", mbAfter, 0);
}
await report.record("after-quiet");
