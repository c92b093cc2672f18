/**
 * A million lines through one AnalyzeStream, answered from memory, so that it is the stream that is measured: lines a second against unary calls of
 * the same client, and the server's memory on the way.
 *
 *   make bench-stream
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { quantile } from "../test/support/steady-load.js";
import { type Measured, record } from "./results.js";
import { type BenchedServer, callServer, inParallel, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TIER = Tier.TIER_FAST;
const TEXTS = 5000;
const SAMPLE_MS = 250;
const UNARY = { calls: 50_000, atOnce: 64 };
const { values } = parseArgs({ options: { lines: { type: "string", default: "1000000" } } });
const lines = Number(values.lines);
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_fast/tokenizer.json");
const textOf = (line: number) => texts[line % TEXTS] ?? "";

/** Resident memory in MB. */
async function rssOf({ pid }: BenchedServer): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

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
const startedMs = performance.now();
await inParallel(UNARY.atOnce, Array(UNARY.calls).keys(), async (line) => {
  await server.client.analyze({ text: textOf(line), tier: TIER, options: undefined });
});
const unary = (UNARY.calls * 1000) / (performance.now() - startedMs);

const memory: number[] = [];
const sampling = setInterval(() => {
  void rssOf(server).then((megabytes) => memory.push(megabytes));
}, SAMPLE_MS);
const stream = await streamAll(server);
clearInterval(sampling);

const tenth = Math.ceil(memory.length / 10);
const measured: Measured[] = [];
const tell = (what: string, unit: string, value: number, digits = 0) => {
  process.stdout.write(`${what}: ${value.toFixed(digits)} ${unit}\n`);
  measured.push({ what, unit, rounds: [value] });
};
tell(`AnalyzeStream, ${lines} lines`, "texts/s", stream);
tell(`Analyze, ${UNARY.atOnce} at once, the same client`, "texts/s", unary);
tell("AnalyzeStream, to Analyze", "times", stream / unary, 2);
// The first tenth is when memory is taken that is used from then on.
tell("memory, second tenth of the time", "MB", quantile(memory.slice(tenth, 2 * tenth), 0.5));
tell("memory, last tenth", "MB", quantile(memory.slice(-tenth), 0.5));
tell("memory, most", "MB", Math.max(...memory));
await record("stream", measured);
