import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts, refuseTakenPorts } from "./ports.js";

const START = "test/support/redis/start.sh";
const READY_MS = 10_000;
const POLL_MS = 10;
/** Characters of what Redis wrote that an error shows. */
const LOG_SHOWN = 2000;

export interface RedisServerOptions {
  /** Unset: a free one. That of a server that has ended may be used again at once. */
  readonly port?: number;
  /** More arguments of redis-server; a configuration file comes first. */
  readonly args?: readonly string[];
}

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** At once; resolves when it has ended. */
  kill(): Promise<void>;
  /** Stops it: connections stay open, new ones are accepted, and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Its answer to one command, as it is on the wire. */
  ask(...command: readonly string[]): Promise<string>;
}

/** A real Redis, in a folder of its own that goes with it; resolves when it answers, rejects with the end of its log. Disposing kills it. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { args = [] } = options;
  if (options.port !== undefined) await refuseTakenPorts([options.port]);
  const [port = 0] = options.port === undefined ? await freePorts(1) : [options.port];
  const folder = await mkdtemp(join(tmpdir(), "redis-"));
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const child = spawn(START, [...args, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], CACHE: process.env["CACHE"] },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${START} could not be started from ${process.cwd()}`);
  const log = gathered(child);
  const ended = once(child, "exit");
  running.add(pid);
  void ended.then(() => running.delete(pid));
  const kill = async () => {
    signal(pid, "SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilAnswering(port, child, log);
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid,
    kill,
    freeze: () => signal(pid, "SIGSTOP"),
    thaw: () => signal(pid, "SIGCONT"),
    ask: (...command) => ask(port, command),
    [Symbol.asyncDispose]: kill,
  };
}

/** Those that must not outlive this process, however it ends. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) signal(pid, "SIGKILL");
});

function signal(pid: number, name: NodeJS.Signals): void {
  if (running.has(pid)) process.kill(pid, name);
}

function gathered(child: ChildProcess): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-LOG_SHOWN);
    });
  }
  return () => tail;
}

async function untilAnswering(port: number, child: ChildProcess, log: () => string) {
  const deadlineMs = performance.now() + READY_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`Redis ended before it was ready: ${log()}`);
    if (performance.now() > deadlineMs)
      throw new Error(`Redis is not ready after ${READY_MS} ms: ${log()}`);
    await sleep(POLL_MS);
  }
}

/** Also where it wants a password first. */
async function answers(port: number): Promise<boolean> {
  try {
    return /^(\+PONG|-NOAUTH)/.test(await ask(port, ["PING"]));
  } catch {
    return false;
  }
}

async function ask(port: number, command: readonly string[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  // It answers what it has read before it closes, and so tells where the answer ends.
  socket.end(`*${words.length}\r\n${words.join("")}`);
  return text(socket);
}
