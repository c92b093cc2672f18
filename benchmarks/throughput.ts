/**
 * Texts a second of AnalyzeBatch, Analyze and AnalyzeStream, nothing cached, as a ratio to a plain onnxruntime loop over the same texts, sorted by
 * length, with as many threads. Servers and loop take turns, so that a noisy machine is noisy for all.
 *
 *   make bench            each batch policy, short texts and mixed ones
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { plainLoop } from "./plain-loop.js";
import { type InTurn, inTurns, type Measured, ratiosOf, record, spread } from "./results.js";
import { type BenchedServer, callServer, callStream, callUnary, startServer } from "./server.js";
import { lognormalTexts, mixedTexts } from "./texts.js";

const TEXTS = 2000;
const CALLS = { textsPerCall: 100, callsAtOnce: 8 };
const UNARY_AT_ONCE = 64;
const TIERS = {
  fast: Tier.TIER_FAST,
  balanced: Tier.TIER_BALANCED,
  accurate: Tier.TIER_ACCURATE,
} as const;
type TierName = keyof typeof TIERS;
const LENGTHS = { short: lognormalTexts, mixed: mixedTexts } as const;
type Way = (server: BenchedServer, tier: TierName, texts: readonly string[]) => Promise<number>;
const WAYS: Record<string, Way> = {
  AnalyzeBatch: ({ client }, tier, texts) => callServer(client, TIERS[tier], texts, CALLS),
  [`Analyze, ${UNARY_AT_ONCE} at once`]: ({ client }, tier, texts) =>
    callUnary(client, TIERS[tier], texts, UNARY_AT_ONCE),
  AnalyzeStream: ({ client }, tier, texts) => callStream(client, TIERS[tier], texts),
};

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    tiers: { type: "string", default: "fast,balanced" },
    lengths: { type: "string", default: "short,mixed" },
    policies: { type: "string", default: "cost,guide,fifo" },
  },
});

async function compare(tier: TierName, lengths: keyof typeof LENGTHS): Promise<Measured[]> {
  const folder = `triton-model-repo/sentiment_${tier}`;
  const texts = await LENGTHS[lengths](TEXTS, `${folder}/tokenizer.json`);
  await using stack = new AsyncDisposableStack();
  const plain = stack.use(await plainLoop(folder, texts, availableParallelism(), 1));
  const loop: InTurn = { run: () => plain.run(), rounds: [] };
  const ways = new Map<string, InTurn>();
  for (const policy of values.policies.split(",")) {
    const server = stack.use(
      await startServer({ BATCH_POLICY: policy, QUEUE_TIMEOUT: "600", REQUEST_TIMEOUT: "600" }),
    );
    for (const [way, run] of Object.entries(WAYS))
      ways.set(`${way}, ${policy}`, { run: () => run(server, tier, texts), rounds: [] });
  }
  await inTurns(Number(values.rounds), [loop, ...ways.values()]);
  const name = `${tier}, ${lengths} texts`;
  process.stdout.write(`${name}: ${plain.name} ${spread(loop.rounds, 0)} texts a second\n`);
  const measured = [{ what: `${name}: ${plain.name}`, unit: "texts/s", rounds: loop.rounds }];
  for (const [way, { rounds }] of ways) {
    const ratios = ratiosOf(rounds, loop.rounds);
    process.stdout.write(
      `  ${way.padEnd(28)} ${spread(rounds, 0)} texts a second; ratio ${spread(ratios, 2)}\n`,
    );
    measured.push({ what: `${name}: ${way}`, unit: "texts/s", rounds });
    measured.push({ what: `${name}: ${way}, to the loop`, unit: "ratio", rounds: ratios });
  }
  return measured;
}

const measured: Measured[] = [];
for (const tier of values.tiers.split(",") as TierName[])
  for (const lengths of values.lengths.split(",") as (keyof typeof LENGTHS)[])
    measured.push(...(await compare(tier, lengths)));
await record("throughput", measured);
