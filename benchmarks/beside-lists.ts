/**
 * What single calls cost behind a bulk job: lists of 32 texts, 64 at once, each sent again as soon as it is answered, which is seconds of work that always waits (fewer
 * where 64 take longer than QUEUE_TIMEOUT). Beside them single calls come at a steady rate, each with a second: of the same key, of another, and without lists, in
 * turns; ghz asks, on the same CPUs.
 *
 *   make bench-beside-lists [ARGS="--tier accurate --lists 8 --singles fast"]
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { addNewKey } from "../server/rpc/keys/new-key.js";
import { scratchFolder } from "../test/support/scratch-folder.js";
import { quantile } from "../test/support/steady-load.js";
import {
  batchMessages,
  createGhz,
  type GhzCall,
  openLoop,
  perSecond,
  unaryMessages,
  warmUp,
} from "./ghz.js";
import { Report } from "./report.js";
import { HARDLY_CACHED, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

const TEXTS_PER_LIST = 32;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "10" },
    rate: { type: "string", default: "20" },
    lists: { type: "string", default: "64" },
    tier: { type: "string", default: "balanced" },
    /** Their tier; unset: that of the lists. */
    singles: { type: "string" },
  },
});
const seconds = Number(values.seconds);
const tier = tierNamed(values.tier);
const singlesTier = tierNamed(values.singles ?? tier);

await using stack = new AsyncDisposableStack();
const file = join(stack.use(await scratchFolder()).path, "keys.json");
const flagsOf = async (name: string) => {
  const key = await addNewKey(file, name, ["analyze"]);
  return ["--metadata", JSON.stringify({ "x-api-key": key })];
};
const [bulk, another] = [await flagsOf("bulk"), await flagsOf("another")];
const TOKENIZER = "triton-model-repo/sentiment_balanced/tokenizer.json";
const listed = await lognormalTexts(8000, TOKENIZER);
const lists = batchMessages(listed, TIER_MESSAGES[tier], TEXTS_PER_LIST);
// Others: equal ones that are under way together are answered together.
const singles = unaryMessages(await lognormalTexts(4000, TOKENIZER, 2), TIER_MESSAGES[singlesTier]);
const ghz = stack.use(await createGhz());
const { address } = stack.use(await startServer({ ...HARDLY_CACHED, API_KEYS_FILE: file }));

/** Lists for as long as single calls come, and two seconds before, so that they wait already; their texts a second. Throws where one was not answered. */
async function bulkJob(): Promise<number> {
  const duration = ["--duration", `${seconds + 2}s`, "--duration-stop", "wait"];
  const connections = String(Math.min(4, Number(values.lists)));
  const load = ["--concurrency", values.lists, "--connections", connections];
  const flags = [...bulk, ...duration, ...load];
  return perSecond(await ghz.run("batch", { address, messages: lists, flags })) * TEXTS_PER_LIST;
}

const singleCalls = async (flags: readonly string[]): Promise<readonly GhzCall[]> =>
  (await openLoop(ghz, { address, messages: singles, flags }, Number(values.rate), seconds)).calls;

/** Of single calls, round by round; the times are of those that were answered. */
class Singles {
  readonly p50: number[] = [];
  readonly p99: number[] = [];
  readonly answered: number[] = [];

  add(calls: readonly GhzCall[]): void {
    const took = calls.filter(({ status }) => status === "OK").map(({ tookMs }) => tookMs);
    // None may have been answered: then there is nothing to tell of how long it takes.
    if (took.length > 0) {
      this.p50.push(quantile(took, 0.5));
      this.p99.push(quantile(took, 0.99));
    }
    this.answered.push((100 * took.length) / calls.length);
  }
}

const alone = new Singles();
/** Texts a second of the lists. */
const listsAlone: number[] = [];
const beside = [
  { who: "the same key", flags: bulk, singles: new Singles(), lists: [] as number[] },
  { who: "another key", flags: another, singles: new Singles(), lists: [] as number[] },
];
await warmUp(ghz, { address, messages: singles, flags: bulk });
await bulkJob();
for (let round = 0; round < Number(values.rounds); round++) {
  alone.add(await singleCalls(bulk));
  listsAlone.push(await bulkJob());
  for (const of of round % 2 === 0 ? beside : beside.toReversed()) {
    const job = bulkJob();
    await sleep(2000);
    of.singles.add(await singleCalls(of.flags));
    of.lists.push(await job);
  }
}

const of = tier === singlesTier ? tier : `singles of ${singlesTier} beside lists of ${tier}`;
const report = new Report(`${of}, `);
report.tell("singles alone: p50", "ms", alone.p50, 1);
report.tell("singles alone: p99", "ms", alone.p99, 1);
report.tell("lists alone", "texts/s", listsAlone, 0);
for (const { who, singles, lists: rates } of beside) {
  report.tell(`singles of ${who} beside lists: answered within a second`, "%", singles.answered, 1);
  report.tell(`singles of ${who} beside lists: p50`, "ms", singles.p50, 1);
  report.tell(`singles of ${who} beside lists: p99`, "ms", singles.p99, 1);
  report.tell(`lists beside singles of ${who}`, "texts/s", rates, 0);
}
await report.record("beside-lists");
