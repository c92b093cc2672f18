/**
 * A million lines through one AnalyzeStream, answered from memory, so that it is the stream that is measured: lines a second against unary calls of
 * the same client, in turns, and the server's memory on the way, which must stay flat once V8's heap has the size that streams take: after a first one.
 *
 *   make bench-stream [ARGS="--rounds 1"]
 */
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { quantile } from "../test/support/steady-load.js";
import { Report } from "./report.js";
import { residentMb } from "./resident.js";
import { ratiosOf } from "./results.js";
import { type BenchedServer, callServer, inParallel, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TIER = Tier.TIER_FAST;
const TEXTS = 5000;
const SAMPLE_MS = 250;
const UNARY = { calls: 50_000, atOnce: 64 };
/** From the second tenth of a stream's time to the last: 40 bytes a line, where one that is kept takes more. */
const GROWTH = { atMost: 32, always: true };
const { values } = parseArgs({
  options: {
    lines: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
  },
});
const lines = Number(values.lines);
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_fast/tokenizer.json");
const textOf = (line: number) => texts[line % TEXTS] ?? "";

async function* requests() {
  for (let line = 0; line < lines; line++)
    yield { id: String(line), text: textOf(line), tier: TIER, options: undefined };
}

/** Lines a second; throws when a line is not answered, or twice. */
async function streamAll({ client }: BenchedServer): Promise<number> {
  const answered = new Uint8Array(lines);
  let count = 0;
  const startedMs = performance.now();
  for await (const { id, sentiment } of client.analyzeStream(requests())) {
    if (sentiment === undefined || answered[Number(id)] === 1) throw new Error(`line ${id} failed`);
    answered[Number(id)] = 1;
    count++;
  }
  if (count !== lines) throw new Error(`${lines - count} lines were not answered`);
  return (lines * 1000) / (performance.now() - startedMs);
}

await using server = await startServer({ ENABLE_CACHING: "true" });
await callServer(server.client, TIER, texts, { textsPerCall: 100, callsAtOnce: 4 });

async function unaryCalls({ client }: BenchedServer): Promise<number> {
  const startedMs = performance.now();
  await inParallel(UNARY.atOnce, Array(UNARY.calls).keys(), async (line) => {
    await client.analyze({ text: textOf(line), tier: TIER, options: undefined });
  });
  return (UNARY.calls * 1000) / (performance.now() - startedMs);
}

/** Of one stream: lines a second, and the server's memory in megabytes in the second tenth of its time, in the last, and the most. */
interface Watched {
  readonly speed: number;
  readonly second: number;
  readonly last: number;
  readonly most: number;
}

async function streamWatched(): Promise<Watched> {
  const samples: number[] = [];
  const sampling = setInterval(() => {
    void residentMb(server.pid).then((megabytes) => samples.push(megabytes));
  }, SAMPLE_MS);
  const speed = await streamAll(server);
  clearInterval(sampling);
  const tenth = Math.ceil(samples.length / 10);
  return {
    speed,
    // The first tenth is when memory is taken that is used from then on.
    second: quantile(samples.slice(tenth, 2 * tenth), 0.5),
    last: quantile(samples.slice(-tenth), 0.5),
    most: Math.max(...samples),
  };
}

// In it V8's old generation grows up to its first whole collection: what is looked for is what each stream after it leaves behind.
const first = await streamWatched();
const unary: number[] = [];
const streams: Watched[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  unary.push(await unaryCalls(server));
  streams.push(await streamWatched());
}
const growthOf = ({ last, second }: Watched) => last - second;

const report = new Report();
const speeds = streams.map(({ speed }) => speed);
report.tell(`AnalyzeStream, ${lines} lines`, "texts/s", speeds, 0);
report.tell(`Analyze, ${UNARY.atOnce} at once, the same client`, "texts/s", unary, 0);
report.tell("AnalyzeStream, to Analyze", "times", ratiosOf(speeds, unary), 2, { atLeast: 1 });
const memory = (which: "second" | "last" | "most") => streams.map((stream) => stream[which]);
report.tell("memory, second tenth of a stream's time", "MB", memory("second"), 0);
report.tell("memory, last tenth", "MB", memory("last"), 0);
report.tell("memory, most", "MB", memory("most"), 0);
const ofFirst = "memory, last tenth less the second, the server's first stream";
report.tell(ofFirst, "MB", [growthOf(first)], 0);
report.tell("memory, last tenth less the second", "MB", streams.map(growthOf), 0, GROWTH);
await report.record("stream");
