import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import {
  AnalyzeBatchRequest,
  AnalyzeRequest,
  AnalyzeStreamRequest,
  type Tier,
} from "../server/gen/sentiment/v1/sentiment.js";

const GHZ = join(process.env["CACHE"] ?? "", "bin", "ghz-v0.121.0");
/** Of the JSON that ghz prints, a line for each call in it. */
const MOST_OUTPUT_BYTES = 2 ** 30;

/** What is called, and how: benchmarks/ghz/<scenario>.json. */
export type Scenario = "cached" | "unary" | "batch" | "stream" | "open-loop";

/** How one call went. */
export interface GhzCall {
  /** gRPC's, as Go spells it: `OK`, `ResourceExhausted`. */
  readonly status: string;
  readonly tookMs: number;
  /** From the run's first call on. */
  readonly endedMs: number;
}

export interface GhzRun {
  readonly calls: readonly GhzCall[];
  readonly seconds: number;
}

export interface GhzOptions {
  readonly address: string;
  /** Encoded; sent in turn, over and over. A stream sends all of them. */
  readonly messages: readonly Uint8Array[];
  /** As ghz takes them, on top of the scenario. */
  readonly flags?: readonly string[];
  /** That ghz runs on, as taskset takes them; GHZ_CPUS of the environment otherwise. */
  readonly cpus?: string;
}

/**
 * On CPUs that it shares, what ghz takes is lost to the server. At 3,000 calls a second on two cores a call cost it 115 us of CPU time, of which its garbage collector
 * and the second thread's spinning were a quarter: 81 to 87 us with these.
 */
const SPARING = { GOGC: "400", GOMAXPROCS: "1" };
/**
 * It is woken for what is there without taking the CPU from a thread that works, as a client elsewhere would not either: 1.5 changes of threads a call in place of 4.1, and
 * 96 us of its own CPU time in place of 140 (docs/decisions.md 85). Not at a set rate, where it has to be in time.
 */
const UNOBTRUSIVE = ["chrt", "--batch", "0"];

/** ghz, a process of its own: on two cores a call cost it 0.84 (0.77 to 0.85) of the CPU time that it cost a nice-grpc client in Node, its start included. */
export interface Ghz extends AsyncDisposable {
  run(scenario: Scenario, options: GhzOptions): Promise<GhzRun>;
}

export async function createGhz(): Promise<Ghz> {
  const folder = await mkdtemp(join(tmpdir(), "sentiment-ghz-"));
  const files = new Map<readonly Uint8Array[], string>();
  const fileOf = async (messages: readonly Uint8Array[]): Promise<string> => {
    const known = files.get(messages);
    if (known !== undefined) return known;
    const file = join(folder, `${files.size}.bin`);
    const writer = new BinaryWriter();
    // Each behind its length. ghz reads JSON anew at every first use, in the time that is measured.
    for (const message of messages) writer.bytes(message);
    await writeFile(file, writer.finish());
    files.set(messages, file);
    return file;
  };
  return {
    async run(scenario, { address, messages, flags = [], cpus = process.env["GHZ_CPUS"] }) {
      const config = ["--config", `benchmarks/ghz/${scenario}.json`];
      const data = ["--binary-file", await fileOf(messages)];
      const ghz = [GHZ, ...config, ...data, ...flags, address];
      const [command = "", ...args] = [...under(scenario, cpus), ...ghz];
      const env = { ...process.env, ...(cpus === undefined && SPARING) };
      const options = { maxBuffer: MOST_OUTPUT_BYTES, env };
      const { stdout } = await promisify(execFile)(command, args, options);
      return runOf(JSON.parse(stdout));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** What ghz is started by; nothing: by itself. */
function under(scenario: Scenario, cpus: string | undefined): readonly string[] {
  if (cpus !== undefined) return ["taskset", "-c", cpus];
  return scenario === "open-loop" ? [] : UNOBTRUSIVE;
}

interface GhzOutput {
  readonly count: number;
  /** Nanoseconds, as is `latency`. */
  readonly total: number;
  readonly details: readonly {
    readonly latency: number;
    readonly status: string;
    /** When it ended. */
    readonly timestamp: string;
  }[];
}

function runOf({ total, details }: GhzOutput): GhzRun {
  const calls = details.map(({ latency, status, timestamp }) => ({
    status,
    tookMs: latency / 1e6,
    endedMs: Date.parse(timestamp),
  }));
  const beganMs = calls.reduce((least, one) => Math.min(least, one.endedMs - one.tookMs), Infinity);
  return {
    calls: calls.map((call) => ({ ...call, endedMs: call.endedMs - beganMs })),
    seconds: total / 1e9,
  };
}

/** Calls that V8 needs to have compiled all that a call runs take half a minute: until then a call costs about a tenth more. */
const WARM_UP = ["--duration", "30s", "--duration-stop", "wait"];

/** Analyze as fast as 64 callers go, until the server is as fast as it will be. */
export async function warmUp(ghz: Ghz, { flags = [], ...options }: GhzOptions): Promise<void> {
  answeredPerSecond(await ghz.run("unary", { ...options, flags: [...WARM_UP, ...flags] }));
}

/** Analyze at a set rate, however slow answers are; each call may take a second, and the server is told. */
export function openLoop(
  ghz: Ghz,
  { flags = [], ...options }: GhzOptions,
  callsPerSecond: number,
  seconds: number,
): Promise<GhzRun> {
  const rate = Math.round(callsPerSecond);
  const paced = ["--rps", String(rate), "--total", String(Math.round(rate * seconds))];
  return ghz.run("open-loop", { ...options, flags: [...paced, ...flags] });
}

/** Calls a second; throws when one failed. */
export function perSecond({ calls, seconds }: GhzRun): number {
  const failed = calls.find(({ status }) => status !== "OK");
  if (failed !== undefined) throw new Error(`a call failed: ${failed.status}`);
  return calls.length / seconds;
}

/** Calls a second that were answered, where some may be refused for load; throws when one failed otherwise. */
export function answeredPerSecond({ calls, seconds }: GhzRun): number {
  const answered = calls.filter(({ status }) => status !== "ResourceExhausted");
  return perSecond({ calls: answered, seconds });
}

export const unaryMessages = (texts: readonly string[], tier: Tier): readonly Uint8Array[] =>
  texts.map((text) => AnalyzeRequest.encode({ text, tier, options: undefined }).finish());

export const streamMessages = (texts: readonly string[], tier: Tier): readonly Uint8Array[] =>
  texts.map((text, index) =>
    AnalyzeStreamRequest.encode({ id: String(index), text, tier, options: undefined }).finish(),
  );

/** The last one may have fewer texts. */
export function batchMessages(
  texts: readonly string[],
  tier: Tier,
  textsPerCall: number,
): readonly Uint8Array[] {
  const calls = Array.from({ length: Math.ceil(texts.length / textsPerCall) }, (_, call) =>
    texts.slice(call * textsPerCall, (call + 1) * textsPerCall),
  );
  return calls.map((some) =>
    AnalyzeBatchRequest.encode({ texts: some, tier, options: undefined }).finish(),
  );
}
