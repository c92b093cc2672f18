import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../test/support/ports.js";
import { type Peer, SERVICES } from "./catalogue.js";
import { JsonClient } from "./json-client.js";
import { groupsOf, isAnyLeft, signalGroups } from "./process-tree.js";
import type { Served } from "./served.js";

const CONNECTIONS = 32;
const START_LIMIT_MS = 120_000;
const POLL_MS = 250;
const END_LIMIT_MS = 15_000;
const LOG_KEPT = 20_000;
const LOG_LINES = 20;

/** A peer that is up and has answered both its ways; what it says of itself is in `log`. */
export interface PeerProcess extends Served {
  log(): string;
}

export async function startPeer(peer: Peer): Promise<PeerProcess> {
  await access(programOf(peer, "python")).catch(() => {
    throw new Error(`${peer.title} is not installed: make bench-peers does it`);
  });
  const folder = await mkdtemp(join(tmpdir(), "peer-"));
  const morePorts = peer.morePorts ?? [];
  const [port = 0, ...more] = await freePorts(1 + morePorts.length);
  const named = Object.fromEntries(morePorts.map((name, place) => [name, String(more[place])]));
  const child = spawnPeer(peer, port, folder, named);
  const client = new JsonClient(port);
  const started = served(peer, child, client, folder);
  try {
    await untilReady(started, child);
    await client.openEvenly(CONNECTIONS, started.pid);
    return started;
  } catch (error) {
    const log = started.log();
    await started[Symbol.asyncDispose]();
    throw new Error(`${peer.title} did not start: ${(error as Error).message}\n${log}`);
  }
}

const programOf = ({ environment }: Peer, name: string) =>
  join(resolve(process.env["CACHE"] ?? ""), "peers", environment, "bin", name);

function spawnPeer(
  peer: Peer,
  port: number,
  folder: string,
  named: Readonly<Record<string, string>>,
): ChildProcess {
  const [name = "", ...args] = peer.command(port);
  const program = programOf(peer, name);
  return spawn(program, args, {
    detached: true,
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: `${dirname(program)}:${process.env["PATH"]}`,
      HOME: folder,
      PYTHONPATH: SERVICES,
      PYTHONDONTWRITEBYTECODE: "1",
      MODEL_FOLDER: resolve("triton-model-repo/sentiment_balanced"),
      PEER_PORT: String(port),
      PEER_FOLDER: folder,
      MLSERVER_HTTP_PORT: String(port),
      // Two processes share two cores: no threads beside them, for a list as for a text.
      TOKENIZERS_PARALLELISM: "false",
      OMP_NUM_THREADS: "1",
      // Nothing is told to anybody.
      BENTOML_DO_NOT_TRACK: "True",
      RAY_USAGE_STATS_ENABLED: "0",
      ...named,
    },
  });
}

function served(
  { title, one, many }: Peer,
  child: ChildProcess,
  client: JsonClient,
  folder: string,
): PeerProcess {
  const pid = child.pid ?? 0;
  if (pid === 0) throw new Error(`${title} could not be started`);
  running.add(pid);
  const call = async (way: typeof one, texts: readonly string[]) => {
    const answer = await client.post(way.path, way.body(texts));
    const labels = way.labels(JSON.parse(answer) as never);
    if (labels.length !== texts.length) throw new Error(`${title} answered ${answer}`);
    return labels;
  };
  return {
    title,
    pid,
    log: logOf(child),
    ask: async (text) => (await call(one, [text]))[0] ?? "none",
    askMany: (texts) => call(many, texts),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await endTree(pid);
      running.delete(pid);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function logOf(child: ChildProcess): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-LOG_KEPT);
    });
  }
  return () => tail.trimEnd().split("\n").slice(-LOG_LINES).join("\n");
}

async function untilReady(peer: PeerProcess, child: ChildProcess): Promise<void> {
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`it ended with ${code ?? signal}`);
  });
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  const answering = async () => {
    for (;;) {
      try {
        await peer.ask("A good start.");
        await peer.askMany(["A good start.", "A bad one."]);
        return;
      } catch (error) {
        if (limit.aborted || child.exitCode !== null || child.signalCode !== null) throw error;
        await sleep(POLL_MS);
      }
    }
  };
  await Promise.race([answering(), ended]);
}

/** Leaders of the groups that must not outlive this process, however it ends. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) signalGroups(groupsOf(pid), "SIGKILL");
});

/** First kindly. */
async function endTree(pid: number): Promise<void> {
  const groups = groupsOf(pid);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    signalGroups(groups, signal);
    const limitMs = performance.now() + END_LIMIT_MS;
    while (isAnyLeft(groups) && performance.now() < limitMs) await sleep(POLL_MS);
  }
}
