/**
 * Peers that serve the same model (benchmarks/peers/README.md), each in its turn with this server and the plain onnxruntime loop before it, so
 * that a noisy machine is noisy for all. Only one server is up at a time.
 *
 *   make bench-peers [PEERS="--rounds 3 --seconds 8 --only fastapi,ray"]
 *
 * - 32 callers of single texts; 4 callers of lists of 32: texts a second;
 * - single texts at 0.7 of its own rate of that round, however slow answers are: p50 and p99;
 * - memory afterwards: PSS (what processes share counts once) summed over its processes.
 *
 * The client is this process, on the same two cores, by sockets (peers) and HTTP/2 (this server) with next to nothing around them: Node's own HTTP
 * client took 160 us of CPU time a call where peers/http-connection.ts takes 40; grpc-js took 350, nice-grpc 300, ghz 380 where
 * peers/grpc-connection.ts takes 220 (on a busy machine: compare them, do not take them for times). What a text did cost the client is in the
 * results. This server's calls cost it more than those of peers do.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { PEERS, type Peer } from "./peers/catalogue.js";
import { knownAnswers } from "./peers/known.js";
import { type Figures, measure } from "./peers/measure.js";
import { startOwn } from "./peers/own-server.js";
import { startPeer } from "./peers/peer-process.js";
import { measuredOf, type Round, table } from "./peers/report.js";
import { type PlainLoop, plainLoop } from "./plain-loop.js";
import { record } from "./results.js";
import { lognormalTexts } from "./texts.js";

const FOLDER = "triton-model-repo/sentiment_balanced";
const TEXTS = 2000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "8" },
    only: { type: "string", default: Object.keys(PEERS).join(",") },
  },
});
const seconds = Number(values.seconds);
const peers = values.only.split(",").map((name) => {
  const peer = PEERS[name];
  if (!peer) throw new Error(`${name} is none of ${Object.keys(PEERS).join(", ")}`);
  return peer;
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const texts = await lognormalTexts(TEXTS, `${FOLDER}/tokenizer.json`);
const known = await knownAnswers(texts);
await using loop: PlainLoop = await plainLoop(FOLDER, texts, availableParallelism(), 1);
const rounds = new Map<string, Round[]>();
const failed = new Set<Peer>();

/** One turn of a server; the loop goes first. */
async function turn(title: string, figuresOf: () => Promise<Figures>): Promise<void> {
  const plain = await loop.run();
  const round = { ...(await figuresOf()), loop: plain };
  rounds.set(title, [...(rounds.get(title) ?? []), round]);
  process.stderr.write(
    `${title}: ${round.unary.toFixed(0)} and ${round.batch.toFixed(0)} texts a second, loop ${plain.toFixed(0)}; client ${round.clientUs.toFixed(0)} us a text\n`,
  );
}

async function ownFigures(): Promise<Figures> {
  await using own = await startOwn();
  return await measure(own, known, seconds);
}

async function peerFigures(peer: Peer): Promise<Figures> {
  await using started = await startPeer(peer);
  try {
    return await measure(started, known, seconds);
  } catch (error) {
    throw new Error(`${peer.title}: ${(error as Error).message}\n${started.log()}`);
  }
}

await loop.run();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const peer of peers.filter((one) => !failed.has(one))) {
    await turn("this server", ownFigures);
    try {
      await turn(peer.title, () => peerFigures(peer));
    } catch (error) {
      process.stderr.write(`${(error as Error).message}\n`);
      failed.add(peer);
      process.exitCode = 1;
    }
  }
}
// Rounds of a peer that has failed since are no result.
for (const { title } of failed) rounds.delete(title);
process.stdout.write(table(rounds));
await record("peers", measuredOf(rounds));
