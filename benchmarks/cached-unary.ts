/**
 * Unary calls a second that are answered from memory, as a ratio to a bare nice-grpc server that answers with the same messages. Both are asked by ghz, 50
 * calls at once, in turns; each has a core of its own, and ghz the others.
 *
 *   make bench-cached
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { type InTurn, inTurns, ratiosOf, record, spread } from "./results.js";
import { inParallel, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TEXTS = 1000;
const SERVER_CPU = "0";
const GHZ_CPUS = availableParallelism() > 1 ? `1-${availableParallelism() - 1}` : "0";
const GHZ = join(process.env["CACHE"] ?? "", "bin", "ghz-v0.121.0");

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
await using folder = await (async () => {
  const path = await mkdtemp(join(tmpdir(), "sentiment-ghz-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
})();
const data = join(folder.path, "data.json");
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_balanced/tokenizer.json");
await writeFile(data, JSON.stringify(texts.map((text) => ({ text }))));

/** Calls a second; throws when one of them failed. */
async function callsASecond(address: string): Promise<number> {
  const args = ["--config", "benchmarks/ghz/unary.json", "--data-file", data, address];
  const { stdout } = await promisify(execFile)("taskset", ["-c", GHZ_CPUS, GHZ, ...args], {
    maxBuffer: 2 ** 30,
  });
  const { count, rps, statusCodeDistribution } = JSON.parse(stdout);
  if (statusCodeDistribution.OK !== count) throw new Error(JSON.stringify(statusCodeDistribution));
  return rps;
}
await using echo = await startServer(
  {},
  { script: "dist/benchmarks/echo-server.js", cpus: SERVER_CPU },
);
await using server = await startServer({ ENABLE_CACHING: "true" }, { cpus: SERVER_CPU });
await inParallel(8, texts, async (text) => {
  await server.client.analyze({ text, tier: Tier.TIER_UNSPECIFIED, options: undefined });
});
const bare: InTurn = { run: () => callsASecond(echo.address), rounds: [] };
const cached: InTurn = { run: () => callsASecond(server.address), rounds: [] };
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
