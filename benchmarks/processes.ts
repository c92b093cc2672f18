/**
 * Unary calls a second that are answered from memory, of one server process and of two behind one port, in turns; asked by ghz, 50 calls at once over
 * 8 connections. With four CPUs or more ghz has those that the servers have not. With fewer it shares them, so that two processes can
 * take no more than ghz leaves; so the CPU time that a call costs all processes of the server is told too.
 *
 *   make bench-processes
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { createChannel, createClient } from "nice-grpc";
import { SentimentServiceDefinition, Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { cpuSeconds } from "./cpu-time.js";
import { createGhz, perSecond, unaryMessages } from "./ghz.js";
import { Report } from "./report.js";
import { type InTurn, inTurns, ratiosOf } from "./results.js";
import { type BenchedServer, inParallel, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const TEXTS = 1000;
const CONNECTIONS = 8;
const CPUS = availableParallelism();
const [SERVER_CPUS, GHZ_CPUS] =
  CPUS >= 4 ? ["0,1", `2-${CPUS - 1}`] : [`0-${CPUS - 1}`, `0-${CPUS - 1}`];

const { values } = parseArgs({ options: { rounds: { type: "string", default: "6" } } });
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_fast/tokenizer.json");
const messages = unaryMessages(texts, Tier.TIER_UNSPECIFIED);
await using ghz = await createGhz();

/** Every process keeps all the texts: connections are dealt out in turn. */
async function fill({ address }: BenchedServer, processes: number): Promise<void> {
  for (let process = 0; process < processes; process++) {
    const channel = createChannel(address, undefined, { "grpc.use_local_subchannel_pool": 1 });
    const client = createClient(SentimentServiceDefinition, channel);
    await inParallel(8, texts, async (text) => {
      await client.analyze({ text, tier: Tier.TIER_UNSPECIFIED, options: undefined });
    });
    channel.close();
  }
}

async function benched(processes: number) {
  const env = {
    PROCESSES: String(processes),
    ENABLE_CACHING: "true",
    DEFAULT_TIER: "fast",
    PREFETCH_MODELS: "false",
  };
  const server = await startServer(env, { cpus: SERVER_CPUS });
  await fill(server, processes);
  const microseconds: number[] = [];
  const turn: InTurn = {
    rounds: [],
    async run() {
      const before = await cpuSeconds(server.pid);
      const { address } = server;
      const flags = ["--connections", String(CONNECTIONS)];
      const run = await ghz.run("cached", { address, messages, flags, cpus: GHZ_CPUS });
      const spent = (await cpuSeconds(server.pid)) - before;
      microseconds.push((spent / run.calls.length) * 1e6);
      return perSecond(run);
    },
  };
  return {
    turn,
    // The first turn only warms up.
    cpu: () => microseconds.slice(1),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

await using one = await benched(1);
await using two = await benched(2);
await inTurns(Number(values.rounds), [one.turn, two.turn]);
const ratios = ratiosOf(two.turn.rounds, one.turn.rounds);
const where = `server on CPUs ${SERVER_CPUS}, ghz on ${GHZ_CPUS}`;
const report = new Report();
for (const [name, { turn, cpu }] of Object.entries({ "1 process": one, "2 processes": two })) {
  report.tell(`${name}: cached Analyze (${where})`, "calls/s", turn.rounds, 0);
  report.tell(`${name}: CPU of the server a call`, "us", cpu(), 0);
}
// Where ghz shares their CPUs two have only what it leaves.
report.tell("2 processes, to 1", "ratio", ratios, 2, CPUS >= 4 ? { atLeast: 1.6 } : undefined);
await report.record("processes");
