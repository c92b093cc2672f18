/**
 * From which length on a text is worth the way to a reading thread and back: CPU time that reading it takes of the event loop, there and here, and how much
 * later it is read. By CPU time, since other work on the machine hardly changes that.
 *
 *   make bench-reading
 */
import { parseArgs } from "node:util";
import { read } from "../server/classify/reading.js";
import { ReadingThreads } from "../server/classify/reading-threads.js";
import { unasked } from "../server/core/call.js";
import { systemClock } from "../server/core/clock.js";
import { loadTokenizer } from "../server/tokenize/tokenizer.js";
import { quantile } from "../test/support/steady-load.js";
import { firstThreadMs } from "./cpu-time.js";
import { Report } from "./report.js";
import { longTexts } from "./texts.js";

const PATH = "triton-model-repo/sentiment_fast/tokenizer.json";
const LENGTHS = [100, 250, 500, 1000, 2000, 5000, 10_000];
const ROOM = 126;
const QUESTION = {
  longText: "windows",
  sentences: false,
  explain: false,
  skipCache: false,
} as const;
const CALL = unasked(new AbortController().signal);
const { values } = parseArgs({ options: { rounds: { type: "string", default: "9" } } });
/** Of each length and kind, a round. */
const TEXTS = 50;

const tokenizer = await loadTokenizer(PATH);
await using threads = new ReadingThreads(1, systemClock, () => {});
await threads.load(tokenizer, PATH);
const model = { tokenizer, maxTokens: ROOM + tokenizer.prefix.length + tokenizer.suffix.length };

const here = async (text: string) => read(text, tokenizer, ROOM, QUESTION);
const there = (text: string) => threads.read(model, text, QUESTION, CALL);

/** CPU time of the first thread a text, and what a text took by the clock at the median, in microseconds. */
async function costOf(texts: readonly string[], reading: (text: string) => Promise<unknown>) {
  const took: number[] = [];
  const beforeMs = await firstThreadMs(process.pid);
  for (const text of texts) {
    const startedMs = performance.now();
    await reading(text);
    took.push((performance.now() - startedMs) * 1000);
  }
  const cpuMs = (await firstThreadMs(process.pid)) - beforeMs;
  return { cpu: (cpuMs * 1000) / texts.length, took: quantile(took, 0.5) };
}

const report = new Report();
const tell = (what: string, rounds: readonly number[]) => report.tell(what, "us", rounds, 0);
for (const [kind, make] of Object.entries(await longTexts(PATH))) {
  for (const length of LENGTHS) {
    const [onLoop, besides, later] = [[] as number[], [] as number[], [] as number[]];
    for (let round = -1; round < Number(values.rounds); round++) {
      const texts = Array.from({ length: TEXTS }, () => make(length));
      const [one, other] = [await costOf(texts, here), await costOf(texts, there)];
      if (round < 0) continue;
      onLoop.push(one.cpu);
      besides.push(other.cpu);
      later.push(other.took - one.took);
    }
    tell(`${kind} of ${length}: CPU time of the event loop, read there`, onLoop);
    tell(`${kind} of ${length}: CPU time of the event loop, read in a thread`, besides);
    tell(`${kind} of ${length}: read so much later`, later);
  }
}
await report.record("reading");
