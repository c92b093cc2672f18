/**
 * Texts a second of AnalyzeBatch (32 texts a call, 4 calls at once, 2,000 distinct texts, nothing cached) as a ratio to a
 * plain onnxruntime loop over the same texts, sorted by length, with as many threads. Server and loop take turns, so that a
 * noisy machine is noisy for both.
 *
 *   make bench            both tiers, 9 rounds
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { createChannel, createClient } from "nice-grpc";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../server/gen/sentiment/v1/sentiment.js";
import { type PlainLoop, plainLoop } from "./plain-loop.js";
import { lognormalTexts } from "./texts.js";

const TEXTS = 2000;
const TEXTS_PER_CALL = 32;
const CALLS_AT_ONCE = 4;
const TIERS = { fast: Tier.TIER_FAST, balanced: Tier.TIER_BALANCED } as const;

async function startServer(): Promise<{ address: string; child: ChildProcess; readyMs: number }> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, ["dist/server/main.js"], {
    env: { ...process.env, GRPC_PORT: "0", HTTP_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { address } = JSON.parse(line);
    if (address !== undefined) return { address, child, readyMs: performance.now() - startedMs };
  }
  throw new Error("the server ended before it was ready");
}

/** Texts a second of one pass over all texts; throws when a text is not answered. */
async function callServer(
  client: SentimentServiceClient,
  tier: Tier,
  texts: readonly string[],
): Promise<number> {
  const calls: string[][] = [];
  for (let first = 0; first < texts.length; first += TEXTS_PER_CALL) {
    calls.push(texts.slice(first, first + TEXTS_PER_CALL));
  }
  const startedMs = performance.now();
  const caller = async () => {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) {
      const { results } = await client.analyzeBatch({ texts: call, tier, options: undefined });
      if (!results.every(({ sentiment }) => sentiment)) throw new Error("a text was not answered");
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, caller));
  return (texts.length * 1000) / (performance.now() - startedMs);
}

/** Median, and the least and the most in brackets. */
function spread(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(digits);
  return `${at(0.5)} (${at(0)} to ${at(1)})`;
}

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
  await callServer(client, TIERS[tier], texts);
  for (let round = 0; round < rounds; round++) {
    for (const [place, loop] of loops.entries()) speeds[place]?.push(await loop.run());
    server.push(await callServer(client, TIERS[tier], texts));
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
const { address, child, readyMs } = await startServer();
process.stdout.write(`start to ready: ${Math.round(readyMs)} ms\n`);
const channel = createChannel(address);
const client: SentimentServiceClient = createClient(SentimentServiceDefinition, channel);
for (const tier of ["balanced", "fast"] as const)
  await compare(tier, client, Number(values.rounds));
channel.close();
child.kill("SIGTERM");
await once(child, "exit");
