import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Channel, createChannel, createClient } from "nice-grpc";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
  type Tier,
} from "../server/gen/sentiment/v1/sentiment.js";

export interface BenchedServer extends AsyncDisposable {
  readonly client: SentimentServiceClient;
  readonly channel: Channel;
  /** `address:port` of gRPC. */
  readonly address: string;
  /** `address:port` of /metrics; undefined: it has none. */
  readonly opsAddress: string | undefined;
  readonly pid: number;
  /** From the start of the process to its first answerable call. */
  readonly readyMs: number;
}

/** As it is shipped, but that hardly any answer is kept: what is measured is all that a text costs which is not known yet. */
export const HARDLY_CACHED = { ENABLE_CACHING: "true", RESULT_CACHE_SIZE: "1" };

/** How glibc has memory, as `make run`, the images and docs/operations.md have it. */
export const ALLOCATION = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_TRIM_THRESHOLD_: "131072",
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

/** Nothing is refused, however slow the CPU is: what is measured is work done. */
export const NEVER_REFUSING = { QUEUE_TIMEOUT: "600", REQUEST_TIMEOUT: "600" };

/** The server as a process of its own, on free ports; or another `script`, with its arguments, that prints its address. `cpus`: as taskset takes them. */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  { script = ["dist/server/main.js"], cpus }: { script?: readonly string[]; cpus?: string } = {},
): Promise<BenchedServer> {
  const startedMs = performance.now();
  const [command = "", ...args] = [
    ...(cpus === undefined ? [] : ["taskset", "-c", cpus]),
    process.execPath,
    ...script,
  ];
  const child = spawn(command, args, {
    // What the model does is measured, unless a benchmark says otherwise.
    env: {
      ...ALLOCATION,
      ...process.env,
      GRPC_PORT: "0",
      HTTP_PORT: "0",
      ENABLE_CACHING: "false",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let opsAddress: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const { address, opsAddress: ops, process: member } = JSON.parse(line);
    opsAddress ??= ops;
    // Of several processes the first to serve must not be taken for all.
    if (address === undefined || member !== undefined) continue;
    const readyMs = performance.now() - startedMs;
    const channel = createChannel(address);
    // Nobody reads its log: a pipe that is full would hold the server up.
    child.stdout.resume();
    return {
      client: createClient(SentimentServiceDefinition, channel),
      channel,
      address,
      opsAddress,
      pid: child.pid ?? 0,
      readyMs,
      async [Symbol.asyncDispose]() {
        channel.close();
        child.kill("SIGTERM");
        await once(child, "exit");
      },
    };
  }
  throw new Error("the server ended before it was ready");
}

export interface BatchCalls {
  readonly textsPerCall: number;
  readonly callsAtOnce: number;
}

/** Texts a second of AnalyzeBatch over all texts; throws when a text is not answered. */
export async function callServer(
  client: SentimentServiceClient,
  tier: Tier,
  texts: readonly string[],
  { textsPerCall, callsAtOnce }: BatchCalls,
): Promise<number> {
  const calls: string[][] = [];
  for (let first = 0; first < texts.length; first += textsPerCall) {
    calls.push(texts.slice(first, first + textsPerCall));
  }
  const startedMs = performance.now();
  await inParallel(callsAtOnce, calls, async (call) => {
    const { results } = await client.analyzeBatch({ texts: call, tier, options: undefined });
    if (!results.every(({ sentiment }) => sentiment)) throw new Error("a text was not answered");
  });
  return (texts.length * 1000) / (performance.now() - startedMs);
}

/** So many at once; the next begins when one is done. */
export async function inParallel<Item>(
  atOnce: number,
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
