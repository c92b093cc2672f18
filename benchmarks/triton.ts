/**
 * The server in front of a real Triton, on this machine:
 * - texts a second of AnalyzeBatch, as a ratio to those of a client that sends the same Triton ready-made tensors (tokenized before, sorted
 *   by length, batches of 32, four at once); they take turns;
 * - the rows of the batches that Triton runs while 64 callers send single texts, by Triton's own statistics;
 * - with --data, whether the SST test sentences get the same answers as from the embedded backend.
 *
 *   make bench-triton [DATA=<data folder>]            5 rounds
 */
import { parseArgs } from "node:util";
import { createChannel, createClient } from "nice-grpc";
import { padded } from "../server/backend/padding.js";
import { TritonClient } from "../server/backend/triton/triton-client.js";
import { systemClock } from "../server/core/clock.js";
import { TIERS, type Tier } from "../server/core/tiers.js";
import { GRPCInferenceServiceDefinition } from "../server/gen/inference/grpc_service.js";
import type { SentimentServiceClient } from "../server/gen/sentiment/v1/sentiment.js";
import { loadTokenizer } from "../server/tokenize/tokenizer.js";
import { modelVersion } from "../test/support/model-version.js";
import { startTriton } from "../test/support/triton-server.js";
import { Report } from "./report.js";
import { ratiosOf } from "./results.js";
import { readExamples } from "./scoring/slices.js";
import { callServer, HARDLY_CACHED, inParallel, NEVER_REFUSING, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";
import { TIER_MESSAGES } from "./tiers.js";

const TEXTS = 4000;
const CALLS_OF_TEXTS = { textsPerCall: 100, callsAtOnce: 8 };
const ROWS = 32;
const BATCHES_AT_ONCE = 4;
const CALLERS = 64;
const CALLS = 6400;
const say = (line: string) => process.stdout.write(`${line}\n`);
const report = new Report();

/** Texts a second of a client that has nothing to do but to send tensors. */
async function readyMade(tier: Tier, texts: readonly string[], triton: TritonClient) {
  const model = await modelVersion(tier);
  const tokenizer = await loadTokenizer(`triton-model-repo/${model.name}/tokenizer.json`);
  const rows = texts
    .map((text) => [...tokenizer.prefix, ...tokenizer.encode(text), ...tokenizer.suffix])
    .sort((one, other) => one.length - other.length);
  const batches = Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, n) =>
    padded(rows.slice(n * ROWS, (n + 1) * ROWS), tokenizer.padId),
  );
  const options = { signal: new AbortController().signal, limitMs: 60_000 };
  return async () => {
    const startedMs = systemClock.now();
    await inParallel(BATCHES_AT_ONCE, batches, async (batch) => {
      await triton.infer(model, batch, options);
    });
    return (texts.length * 1000) / (systemClock.now() - startedMs);
  };
}

async function compareSpeed(
  tier: Tier,
  client: SentimentServiceClient,
  triton: TritonClient,
  rounds: number,
): Promise<void> {
  const texts = await lognormalTexts(TEXTS, `triton-model-repo/sentiment_${tier}/tokenizer.json`);
  const run = await readyMade(tier, texts, triton);
  const [front, bare]: [number[], number[]] = [[], []];
  await run();
  await callServer(client, TIER_MESSAGES[tier], texts, CALLS_OF_TEXTS);
  for (let round = 0; round < rounds; round++) {
    bare.push(await run());
    front.push(await callServer(client, TIER_MESSAGES[tier], texts, CALLS_OF_TEXTS));
  }
  report.tell(`${tier}: ready-made tensors`, "texts/s", bare, 0);
  report.tell(`${tier}: AnalyzeBatch`, "texts/s", front, 0);
  report.tell(`${tier}: AnalyzeBatch, to ready-made tensors`, "ratio", ratiosOf(front, bare), 2, {
    atLeast: 0.95,
  });
}

async function meanBatch(tier: Tier, client: SentimentServiceClient, url: string): Promise<void> {
  const channel = createChannel(url);
  const statistics = createClient(GRPCInferenceServiceDefinition, channel);
  const counts = async () => {
    const request = { name: `sentiment_${tier}`, version: "" };
    const [stats] = (await statistics.modelStatistics(request)).modelStats;
    return { rows: stats?.inferenceCount ?? 0, runs: stats?.executionCount ?? 0 };
  };
  const texts = await lognormalTexts(CALLS, `triton-model-repo/sentiment_${tier}/tokenizer.json`);
  const before = await counts();
  const startedMs = systemClock.now();
  await inParallel(CALLERS, texts, async (text) => {
    await client.analyze({ text, tier: TIER_MESSAGES[tier], options: undefined });
  });
  const seconds = (systemClock.now() - startedMs) / 1000;
  const after = await counts();
  const callers = `${tier}: ${CALLERS} callers of single texts`;
  report.tell(callers, "texts/s", [CALLS / seconds], 0);
  const rowsPerRun = (after.rows - before.rows) / (after.runs - before.runs);
  report.tell(`${callers}, rows a run of Triton's`, "rows", [rowsPerRun], 1);
  channel.close();
}

async function compareAnswers(
  tier: Tier,
  data: string,
  one: SentimentServiceClient,
  other: SentimentServiceClient,
): Promise<void> {
  const texts = (await readExamples(`${data}/sst-test.tsv`)).map(({ text }) => text);
  let labels = 0;
  let furthest = 0;
  for (let first = 0; first < texts.length; first += 100) {
    const request = {
      texts: texts.slice(first, first + 100),
      tier: TIER_MESSAGES[tier],
      options: undefined,
    };
    const [here, there] = await Promise.all([
      one.analyzeBatch(request),
      other.analyzeBatch(request),
    ]);
    for (const [place, { sentiment }] of here.results.entries()) {
      const theirs = there.results[place]?.sentiment;
      if (!sentiment || !theirs) throw new Error("a text was not answered");
      if (sentiment.label === theirs.label) labels++;
      furthest = Math.max(furthest, Math.abs(sentiment.score - theirs.score));
    }
  }
  say(
    `${tier}: ${labels} of ${texts.length} sentences have the same label by both backends; scores differ by ${furthest.toFixed(5)} at most`,
  );
}

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, data: { type: "string" } },
});
await using server = await startTriton();
await using front = await startServer({
  ...HARDLY_CACHED,
  ...NEVER_REFUSING,
  BACKEND: "triton",
  TRITON_URL: server.url,
});
{
  using triton = new TritonClient(server.url);
  for (const tier of ["balanced", "fast"] as const)
    await compareSpeed(tier, front.client, triton, Number(values.rounds));
}
for (const tier of ["balanced", "fast"] as const) await meanBatch(tier, front.client, server.url);
if (values.data !== undefined) {
  await using embedded = await startServer();
  for (const tier of TIERS) await compareAnswers(tier, values.data, front.client, embedded.client);
}
await report.record("triton");
