/**
 * Texts a second of AnalyzeBatch, Analyze and AnalyzeStream, nothing cached, as a ratio to a plain onnxruntime loop over the same texts, sorted by
 * length, with as many threads. Servers and loop take turns, so that a noisy machine is noisy for all. ghz asks, on the same CPUs; the ratio by CPU
 * time leaves it out.
 *
 *   make bench-throughput                        each tier, short texts and mixed ones, embedded and in front of a real Triton
 *   make bench-policies                          ways to put batches together
 *   make bench-policies ARGS="--lengths mixed --max-length 256"     long texts whole, where the committed models read them in windows of 128 tokens
 *   make bench-throughput ARGS="--servers embedded,bare"     beside the most that could be reached
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Tier } from "../server/core/tiers.js";
import type { Tier as TierMessage } from "../server/gen/sentiment/v1/sentiment.js";
import { repositoryCopy } from "../test/support/repository-copy.js";
import { startTriton } from "../test/support/triton-server.js";
import { cpuSeconds } from "./cpu-time.js";
import {
  batchMessages,
  createGhz,
  type Ghz,
  perSecond,
  streamMessages,
  unaryMessages,
  warmUp,
} from "./ghz.js";
import { plainLoop } from "./plain-loop.js";
import { Report } from "./report.js";
import { type InTurn, inTurns, ratiosOf, type Wanted } from "./results.js";
import {
  type BenchedServer,
  callServer,
  HARDLY_CACHED,
  NEVER_REFUSING,
  startServer,
} from "./server.js";
import { LENGTHS, type Lengths } from "./texts.js";
import { TIER_MESSAGES, tierNamed } from "./tiers.js";

/** So that a turn takes some seconds, on a CPU with VNNI; `--texts` where that is a minute. */
const TEXTS = {
  fast: 20_000,
  balanced: 10_000,
  accurate: 2000,
} as const;
const CALLS = { textsPerCall: 100, callsAtOnce: 8 };

const fixed = (rows: number) => ({
  BATCH_POLICY: "guide",
  BATCH_SIZE: String(rows),
  BATCH_SIZE_MIN: String(rows),
  BATCH_SIZE_MAX: String(rows),
});
const SERVERS: Record<string, Record<string, string>> = {
  embedded: {},
  triton: { BACKEND: "triton" },
  guide: { BATCH_POLICY: "guide" },
  "fixed-8": fixed(8),
  "fixed-32": fixed(32),
  fifo: { BATCH_POLICY: "fifo" },
};
/** What could be reached at most: benchmarks/bare-server.ts. */
const BARE = "bare";

const { values } = parseArgs({
  options: {
    name: { type: "string", default: "throughput" },
    rounds: { type: "string", default: "5" },
    tiers: { type: "string", default: "fast,balanced,accurate" },
    lengths: { type: "string", default: "short,mixed" },
    servers: { type: "string", default: "embedded,triton" },
    texts: { type: "string" },
    "max-length": { type: "string" },
  },
});
/** Tokens that models are to read at once; undefined: as many as the committed ones do. */
const maxLength = values["max-length"];
const serverNames = values.servers.split(",");
const known = [...Object.keys(SERVERS), BARE];
for (const name of serverNames)
  if (!known.includes(name))
    throw new Error(`server ${name}: it must be one of ${known.join(", ")}`);
if (maxLength !== undefined && serverNames.includes("triton"))
  throw new Error("--max-length: Triton has the committed models, name servers without it");

const ONE_CONNECTION = "Analyze, 64 at once over one connection";

/** Of the plain loop's texts a second. */
const OF_THE_LOOP: Record<string, Wanted> = {
  "AnalyzeBatch, embedded": { atLeast: 0.9 },
  "Analyze, 64 at once, embedded": { atLeast: 0.7 },
  [`${ONE_CONNECTION}, embedded`]: { atLeast: 0.7 },
  "AnalyzeStream, embedded": { atLeast: 0.85 },
};
const report = new Report(maxLength === undefined ? "" : `${maxLength} tokens at once: `);

type Way = (server: BenchedServer) => Promise<number>;

/** A way, in turn with the others, with the CPU seconds that its process took for it. */
interface WayInTurn extends InTurn {
  readonly cpuSeconds: number[];
}

/** `spent`: CPU seconds so far. */
function wayInTurn(spent: () => number | Promise<number>, way: () => Promise<number>): WayInTurn {
  const seconds: number[] = [];
  return {
    async run() {
      const before = await spent();
      const rate = await way();
      seconds.push((await spent()) - before);
      return rate;
    },
    rounds: [],
    // Without the turn that warms up.
    get cpuSeconds() {
      return seconds.slice(1);
    },
  };
}

/** Of this process, where the plain loop's threads are; not of those that it has started. */
function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Texts a second of each call, over all the texts. */
function waysOf(ghz: Ghz, tier: TierMessage, texts: readonly string[]): Record<string, Way> {
  const unary = unaryMessages(texts, tier);
  const batches = batchMessages(texts, tier, CALLS.textsPerCall);
  const stream = streamMessages(texts, tier);
  const total = (count: number) => ["--total", String(count)];
  const single =
    (...flags: readonly string[]): Way =>
    async ({ address }) => {
      const all = [...total(unary.length), ...flags];
      return perSecond(await ghz.run("unary", { address, messages: unary, flags: all }));
    };
  return {
    AnalyzeBatch: async ({ address }) => {
      const flags = total(batches.length);
      const run = await ghz.run("batch", { address, messages: batches, flags });
      return (perSecond(run) * texts.length) / batches.length;
    },
    "Analyze, 64 at once": single(),
    // ghz's default, and what a client with one channel has.
    [ONE_CONNECTION]: single("--connections", "1"),
    AnalyzeStream: async ({ address }) =>
      perSecond(await ghz.run("stream", { address, messages: stream })) * texts.length,
  };
}

/** The server's settings for a copy of the tier's model that reads so many tokens at once. */
async function modelsReading(tokens: string, tier: Tier, stack: AsyncDisposableStack) {
  const models = stack.use(await repositoryCopy(tier));
  await models.setParameter(tier, "max_length", tokens);
  return { MODEL_REPOSITORY: models.folder, DEFAULT_TIER: tier };
}

async function compare(
  ghz: Ghz,
  tritonUrl: string | undefined,
  tierName: Tier,
  lengths: Lengths,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = `triton-model-repo/sentiment_${tierName}`;
  const tier = TIER_MESSAGES[tierName];
  const count = Number(values.texts ?? TEXTS[tierName]);
  const texts = await LENGTHS[lengths](count, `${folder}/tokenizer.json`);
  const bare = ["dist/benchmarks/bare-server.js", tierName, lengths, String(count)];
  const models = maxLength === undefined ? {} : await modelsReading(maxLength, tierName, stack);
  const plain = stack.use(await plainLoop(folder, texts, availableParallelism(), 1));
  const loop = wayInTurn(ownCpuSeconds, () => plain.run());
  const ways = new Map<string, WayInTurn>();
  for (const name of serverNames) {
    const limits = { ...HARDLY_CACHED, ...NEVER_REFUSING };
    const triton = tritonUrl === undefined ? {} : { TRITON_URL: tritonUrl };
    const env = { ...limits, ...models, ...triton, ...SERVERS[name] };
    const server = stack.use(await startServer(env, name === BARE ? { script: bare } : {}));
    // ghz sees the status of calls alone.
    await callServer(server.client, tier, texts, CALLS);
    await warmUp(ghz, { address: server.address, messages: unaryMessages(texts, tier) });
    for (const [way, run] of Object.entries(waysOf(ghz, tier, texts)))
      ways.set(
        `${way}, ${name}`,
        wayInTurn(
          () => cpuSeconds(server.pid),
          () => run(server),
        ),
      );
  }
  await inTurns(Number(values.rounds), [loop, ...ways.values()]);
  tell(`${tierName}, ${lengths} texts`, plain.name, loop, ways);
}

function tell(
  name: string,
  loopName: string,
  loop: WayInTurn,
  ways: ReadonlyMap<string, WayInTurn>,
): void {
  report.tell(`${name}: ${loopName}`, "texts/s", loop.rounds, 0);
  for (const [way, { rounds, cpuSeconds: seconds }] of ways) {
    report.tell(`${name}: ${way}`, "texts/s", rounds, 0);
    const wanted = OF_THE_LOOP[way];
    report.tell(`${name}: ${way}, to the loop`, "ratio", ratiosOf(rounds, loop.rounds), 2, wanted);
    const byCpu = ratiosOf(loop.cpuSeconds, seconds);
    const what = `${name}: ${way}, to the loop, by CPU time`;
    // Triton is another process.
    if (!way.includes("triton")) report.tell(what, "ratio", byCpu, 2);
  }
  for (const [way, { rounds }] of ways) {
    const bare = way.endsWith(", embedded") && ways.get(way.replace(/embedded$/, BARE));
    if (!bare) continue;
    report.tell(`${name}: ${way} to ${BARE}`, "ratio", ratiosOf(rounds, bare.rounds), 2);
  }
  const [shipped, fifo] = ["embedded", "fifo"].map((server) => ways.get(`AnalyzeBatch, ${server}`));
  if (shipped === undefined || fifo === undefined) return;
  const ratios = ratiosOf(shipped.rounds, fifo.rounds);
  const wanted = name.includes("mixed") ? { atLeast: 3 } : undefined;
  report.tell(`${name}: AnalyzeBatch, embedded to fifo`, "ratio", ratios, 2, wanted);
}

await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());
const triton = serverNames.includes("triton") ? stack.use(await startTriton()) : undefined;
for (const tier of values.tiers.split(",").map(tierNamed))
  for (const lengths of values.lengths.split(",") as Lengths[])
    await compare(ghz, triton?.url, tier, lengths);
await report.record(values.name);
