/**
 * Texts a second of AnalyzeBatch (32 texts a call, 4 calls at once, 2,000 distinct texts, nothing cached) as a ratio to a
 * plain onnxruntime loop over the same texts, sorted by length, with as many threads. Server and loop take turns, so that a
 * noisy machine is noisy for both.
 *
 *   make bench            both tiers, 9 rounds
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type SentimentServiceClient, Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { type PlainLoop, plainLoop } from "./plain-loop.js";
import { callServer, spread, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TEXTS = 2000;
const CALLS = { textsPerCall: 32, callsAtOnce: 4 };
const TIERS = { fast: Tier.TIER_FAST, balanced: Tier.TIER_BALANCED } as const;

async function compare(
  tier: keyof typeof TIERS,
  client: SentimentServiceClient,
  rounds: number,
): Promise<void> {
  const folder = `triton-model-repo/sentiment_${tier}`;
  const texts = await lognormalTexts(TEXTS, `${folder}/tokenizer.json`);
  const cpus = availableParallelism();
  await using one = await plainLoop(folder, texts, 1, cpus);
  await using many = await plainLoop(folder, texts, cpus, 1);
  const loops: readonly PlainLoop[] = [one, many];
  const server: number[] = [];
  const speeds = loops.map((): number[] => []);
  await callServer(client, TIERS[tier], texts, CALLS);
  for (let round = 0; round < rounds; round++) {
    for (const [place, loop] of loops.entries()) speeds[place]?.push(await loop.run());
    server.push(await callServer(client, TIERS[tier], texts, CALLS));
  }
  const line = (name: string, what: string) =>
    process.stdout.write(`${tier.padEnd(9)} ${name.padEnd(28)} ${what}\n`);
  line("AnalyzeBatch", `${spread(server, 0)} texts a second`);
  for (const [place, loop] of loops.entries()) {
    const ratios = server.map((speed, round) => speed / (speeds[place]?.[round] ?? Number.NaN));
    line(loop.name, `${spread(speeds[place] ?? [], 0)} texts a second; ratio ${spread(ratios, 2)}`);
  }
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "9" } } });
await using server = await startServer();
process.stdout.write(`start to ready: ${Math.round(server.readyMs)} ms\n`);
for (const tier of ["balanced", "fast"] as const)
  await compare(tier, server.client, Number(values.rounds));
