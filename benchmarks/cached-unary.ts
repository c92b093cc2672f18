/**
 * Unary calls a second that are answered from memory, as a ratio to a bare nice-grpc server that answers with the same messages. Both are asked by ghz, 50
 * calls at once, in turns; both have one core, and ghz the others.
 *
 *   make bench-cached
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { ghzTexts } from "./ghz.js";
import { type InTurn, inTurns, ratiosOf, record, spread } from "./results.js";
import { inParallel, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TEXTS = 1000;
const SERVER_CPU = "0";
const GHZ_CPUS = availableParallelism() > 1 ? `1-${availableParallelism() - 1}` : "0";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_balanced/tokenizer.json");
await using ghz = await ghzTexts(texts);

await using echo = await startServer(
  {},
  { script: "dist/benchmarks/echo-server.js", cpus: SERVER_CPU },
);
await using server = await startServer({ ENABLE_CACHING: "true" }, { cpus: SERVER_CPU });
await inParallel(8, texts, async (text) => {
  await server.client.analyze({ text, tier: Tier.TIER_UNSPECIFIED, options: undefined });
});
const turnOf = (address: string): InTurn => ({
  run: async () => (await ghz.load(address, GHZ_CPUS)).perSecond,
  rounds: [],
});
const [bare, cached] = [turnOf(echo.address), turnOf(server.address)];
await inTurns(Number(values.rounds), [bare, cached]);
const ratios = ratiosOf(cached.rounds, bare.rounds);
process.stdout.write(`bare nice-grpc   ${spread(bare.rounds, 0)} calls a second\n`);
process.stdout.write(
  `cached Analyze   ${spread(cached.rounds, 0)} calls a second; ratio ${spread(ratios, 3)}\n`,
);
await record("cached-unary", [
  { what: "bare nice-grpc", unit: "calls/s", rounds: bare.rounds },
  { what: "cached Analyze", unit: "calls/s", rounds: cached.rounds },
  { what: "cached Analyze, to bare nice-grpc", unit: "ratio", rounds: ratios },
]);
