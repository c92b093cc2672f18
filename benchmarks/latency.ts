/**
 * How long a call takes that is alone, tier by tier, and what of it is not the model: by the server's own timing, and with gRPC and both ways, as the client sees it; and
 * what a text of 512 tokens in front of it costs a short one.
 *
 *   make bench-latency
 */
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { millisecondsOf } from "../test/support/milliseconds.js";
import { quantile } from "../test/support/steady-load.js";
import { Report } from "./report.js";
import { differencesOf, ratiosOf, type Wanted } from "./results.js";
import { type BenchedServer, HARDLY_CACHED, startServer } from "./server.js";
import { evenTexts } from "./texts.js";
import { TIER_MESSAGES } from "./tiers.js";

const TOKENIZER = "triton-model-repo/sentiment_balanced/tokenizer.json";
const CALLS = 200;
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const texts = await evenTexts(CALLS, TOKENIZER, 20);
const short = await evenTexts(CALLS, TOKENIZER, 12, 2);
const long = await evenTexts(CALLS, TOKENIZER, 512, 3);

async function timed({ client }: BenchedServer, tier: Tier, text: string) {
  const startedMs = performance.now();
  const { timing } = await client.analyze({ text, tier, options: undefined });
  const tookMs = performance.now() - startedMs;
  const inferenceMs = millisecondsOf(timing?.inference);
  const frontMs = millisecondsOf(timing?.total) - inferenceMs;
  return { tookMs, inferenceMs, frontMs, outsideMs: tookMs - inferenceMs };
}

await using server = await startServer(HARDLY_CACHED);
const report = new Report();
const tell = (what: string, rounds: readonly number[], wanted?: Wanted) =>
  report.tell(what, "ms", rounds, 2, wanted);
tell("start to ready", [server.readyMs], { atMost: 5000 });
for (const [name, tier] of Object.entries(TIER_MESSAGES)) {
  const rounds = {
    p50: [] as number[],
    p95: [] as number[],
    front: [] as number[],
    outside: [] as number[],
  };
  for (let round = -1; round < Number(values.rounds); round++) {
    const calls: Awaited<ReturnType<typeof timed>>[] = [];
    for (const text of texts) calls.push(await timed(server, tier, text));
    if (round < 0) continue;
    const of = (part: keyof (typeof calls)[number], share: number) =>
      quantile(
        calls.map((call) => call[part]),
        share,
      );
    rounds.p50.push(of("tookMs", 0.5));
    rounds.p95.push(of("tookMs", 0.95));
    rounds.front.push(of("frontMs", 0.95));
    rounds.outside.push(of("outsideMs", 0.95));
  }
  tell(`${name}, 20 tokens, p50`, rounds.p50);
  tell(`${name}, 20 tokens, p95`, rounds.p95, { atMost: name === "fast" ? 10 : 100 });
  tell(`${name}, 20 tokens, the front's own part, p95`, rounds.front, { atMost: 2 });
  tell(`${name}, 20 tokens, all but the model, as the client sees it, p95`, rounds.outside);
}

const none = () => ({
  alone: [] as number[],
  behind: [] as number[],
  long: [] as number[],
  longBatch: [] as number[],
});
const behind = none();
const tier = Tier.TIER_BALANCED;
for (let round = 0; round < Number(values.rounds); round++) {
  const tookMs = none();
  for (const [place, text] of short.entries()) {
    tookMs.alone.push((await timed(server, tier, text)).tookMs);
    const before = timed(server, tier, long[place] ?? "");
    // Another one: that text may be known by now.
    const after = timed(server, tier, short[(place + CALLS / 2) % CALLS] ?? "");
    tookMs.behind.push((await after).tookMs);
    const inFront = await before;
    tookMs.long.push(inFront.tookMs);
    tookMs.longBatch.push(inFront.inferenceMs);
  }
  for (const name of ["alone", "behind", "long", "longBatch"] as const)
    behind[name].push(quantile(tookMs[name], 0.5));
}
tell("10-token call, alone, p50", behind.alone);
tell("10-token call, right behind a text of 512 tokens, p50", behind.behind);
tell("that text, p50", behind.long);
tell("one of its batches, p50", behind.longBatch);
const rise = differencesOf(behind.behind, behind.alone);
// 512 tokens are several windows, and each is a batch.
report.tell("what it takes longer, of that text", "ratio", ratiosOf(rise, behind.long), 2, {
  atMost: 1,
});
report.tell(
  "what it takes longer, of one of its batches",
  "ratio",
  ratiosOf(rise, behind.longBatch),
  2,
);
await report.record("latency");
