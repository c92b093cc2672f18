import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient } from "nice-grpc";
import {
  type GRPCInferenceServiceClient,
  GRPCInferenceServiceDefinition,
} from "../../server/gen/inference/grpc_service.js";
import { freePorts, refuseTakenPorts } from "./ports.js";
import { membersOf } from "./process-group.js";

const START = "test/support/triton/start.sh";
const SHARED_MEMORY = "/dev/shm";
const READY_MS = 30_000;
const POLL_MS = 50;
/** Characters of what Triton wrote that are kept, and that an error shows. */
const LOG_KEPT = 50_000;
const LOG_SHOWN = 3000;

interface TritonPorts {
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

export interface TritonOptions {
  /** Folder of the models; unset: the committed ones. A copy may be changed while Triton runs. */
  readonly repository?: string;
  /** Unset: free ones. Those of a server that has ended may be used again at once. */
  readonly ports?: TritonPorts;
  /** Models to load at start and to wait for; unset: all of the repository. */
  readonly models?: readonly string[];
  /** More flags of tritonserver. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Gets what Triton writes. */
  readonly onOutput?: (text: string) => void;
}

export interface TritonServer extends AsyncDisposable {
  /** Host and port of gRPC. */
  readonly url: string;
  readonly ports: TritonPorts;
  /** Triton's, and the number of its process group, in which the processes of its models are too. */
  readonly pid: number;
  /** Resolves when Triton itself has ended, for whatever reason. */
  readonly ended: Promise<string>;
  /** The last that Triton wrote, less its tables. */
  log(): string;
  /** Ends the whole group at once and removes its shared memory; resolves when nothing is left. */
  kill(): Promise<void>;
  /** Stops the whole group: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
}

/** The real Triton, on the CPU; resolves when it and its models are ready, rejects with the end of its log. Disposing kills it. */
export async function startTriton(options: TritonOptions = {}): Promise<TritonServer> {
  if (options.ports) await refuseTakenPorts(Object.values(options.ports));
  const ports = options.ports ?? (await ownPorts());
  const server = spawnTriton(ports, options);
  try {
    await untilReady(server, options.models);
    return server;
  } catch (error) {
    await server.kill();
    throw error;
  }
}

async function ownPorts(): Promise<TritonPorts> {
  const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
  return { http, grpc, metrics };
}

function spawnTriton(ports: TritonPorts, options: TritonOptions): TritonServer {
  const { models = ["*"], args = [], env = {} } = options;
  const flags = [...models.map((model) => `--load-model=${model}`), ...args];
  const child = spawn(START, flags, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      CACHE: process.env["CACHE"],
      MODEL_REPOSITORY: resolve(options.repository ?? "triton-model-repo"),
      TRITON_HTTP_PORT: String(ports.http),
      TRITON_GRPC_PORT: String(ports.grpc),
      TRITON_METRICS_PORT: String(ports.metrics),
      ...env,
    },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${START} could not be started from ${process.cwd()}`);
  const log = gathered(child, options.onOutput);
  const ended = once(child, "exit").then(([code, signal]) => `exit code ${code ?? signal}`);
  running.add(pid);
  const kill = async () => {
    killGroup(pid);
    await ended;
    // The processes of its models outlive Triton for a moment.
    while ((await membersOf(pid)).length > 0) await sleep(POLL_MS / 5);
    removeSharedMemory(pid);
    running.delete(pid);
  };
  return {
    url: `127.0.0.1:${ports.grpc}`,
    ports,
    pid,
    ended,
    log,
    kill,
    freeze: () => signalGroup(pid, "SIGSTOP"),
    thaw: () => signalGroup(pid, "SIGCONT"),
    [Symbol.asyncDispose]: kill,
  };
}

function gathered(child: ChildProcess, onOutput: TritonOptions["onOutput"]): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-LOG_KEPT);
      onOutput?.(text);
    });
  }
  return () => tail.replace(/^[|+].*\n/gm, "").slice(-LOG_SHOWN);
}

/** Groups that must not outlive this process, however it ends. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) {
    killGroup(pid);
    removeSharedMemory(pid);
  }
});

function killGroup(pid: number): void {
  if (running.has(pid)) signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A Triton that is killed leaves it behind. */
function removeSharedMemory(pid: number): void {
  const names = readdirSync(SHARED_MEMORY).filter((name) =>
    name.startsWith(`sentiment-triton-${pid}-`),
  );
  for (const name of names) rmSync(join(SHARED_MEMORY, name), { force: true });
}

async function untilReady(server: TritonServer, models: TritonOptions["models"]): Promise<void> {
  let ending: string | undefined;
  void server.ended.then((how) => {
    ending = how;
  });
  // A pool of its own: a channel to the same port must not wait as long as one that has failed often.
  const channel = createChannel(server.url, undefined, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": POLL_MS,
    "grpc.max_reconnect_backoff_ms": POLL_MS,
  });
  const client = createClient(GRPCInferenceServiceDefinition, channel);
  const deadlineMs = performance.now() + READY_MS;
  try {
    for (;;) {
      const missing = await missingYet(client, models);
      if (missing === undefined) return;
      if (ending !== undefined)
        throw new Error(`Triton ended before it was ready (${ending}): ${server.log()}`);
      if (performance.now() > deadlineMs)
        throw new Error(`not ready after ${READY_MS} ms: ${missing}; Triton says: ${server.log()}`);
      await sleep(POLL_MS);
    }
  } finally {
    channel.close();
  }
}

/** What is not ready; undefined: all is. */
async function missingYet(
  client: GRPCInferenceServiceClient,
  wanted: TritonOptions["models"],
): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(1000);
    const { ready } = await client.serverReady({}, { signal });
    if (!ready) return "the server";
    const { models } = await client.repositoryIndex(
      { repositoryName: "", ready: false },
      { signal },
    );
    const names = wanted ?? models.map(({ name }) => name);
    const served = new Set(models.filter(({ state }) => state === "READY").map(({ name }) => name));
    return names.find((name) => !served.has(name));
  } catch (error) {
    return String(error);
  }
}
