import { setTimeout as sleep } from "node:timers/promises";
import { faultOnSignal } from "../support/faulty-server.js";
import { childrenOf } from "../support/process-group.js";
import { startRedis } from "../support/redis-server.js";
import { countsOf, scrape } from "../support/scrape.js";
import { type ServerProcess, startServer } from "../support/server-process.js";
import { startTriton } from "../support/triton-server.js";
import type { FaultName } from "./scenario.js";
import { startTelemetry } from "./telemetry.js";

const PROCESSES = 2;
/** For a process to be replaced, on a machine that is busy. */
const READY_LIMIT_MS = 60_000;

/** Resolves when what was struck can be used again. */
type Mend = () => Promise<void>;

export interface Parts {
  readonly address: string;
  /** Who takes the traces. */
  readonly telemetry: string;
  /** How often the server has told of what, in warnings and errors. */
  told(): Readonly<Record<string, number>>;
  /** How many spans the collector has taken. */
  traced(): Promise<number>;
  strike(name: FaultName): Promise<Mend>;
}

/** The server as two processes with everything that it may depend on, all of it real. All goes with `left`. */
export async function startParts(
  repository: string,
  left: AsyncDisposableStack,
  chance: () => number,
): Promise<Parts> {
  const telemetry = await startTelemetry(left);
  let redis = await startRedis();
  left.defer(() => redis.kill());
  let triton = await startTriton({ repository });
  left.defer(() => triton.kill());
  const server = left.use(
    await startServer({
      ...telemetry.env,
      ...faultOnSignal("thread"),
      PROCESSES: String(PROCESSES),
      BACKEND: "triton,embedded",
      TRITON_URL: triton.url,
      REDIS_URL: redis.url,
      MODEL_REPOSITORY: repository,
      // So few that Redis and the models have something to do as well.
      RESULT_CACHE_SIZE: "200",
      WARM_UP_FILE: "/dev/null",
    }),
  );
  const victim = async () => {
    const processes = await childrenOf(server.child.pid ?? 0);
    return processes[Math.floor(chance() * processes.length)] ?? 0;
  };
  const whole = () => untilWhole(server);

  const strikes: Readonly<Record<FaultName, () => Promise<Mend>>> = {
    "redis killed": async () => {
      await redis.kill();
      return async () => {
        redis = await startRedis({ port: redis.port });
      };
    },
    "redis frozen": async () => {
      redis.freeze();
      return async () => redis.thaw();
    },
    "triton killed": async () => {
      await triton.kill();
      return async () => {
        triton = await startTriton({ repository, ports: triton.ports });
      };
    },
    "triton frozen": async () => {
      triton.freeze();
      return async () => triton.thaw();
    },
    "process killed": async () => {
      const pid = await victim();
      signal(pid, "SIGKILL");
      return () => gone(pid).then(whole);
    },
    "process frozen": async () => {
      const pid = await victim();
      signal(pid, "SIGSTOP");
      return async () => {
        signal(pid, "SIGCONT");
        await whole();
      };
    },
    "thread killed": async () => {
      signal(await victim(), "SIGUSR2");
      return whole;
    },
    "collector killed": async () => {
      await telemetry.kill();
      return () => telemetry.restart();
    },
    "collector frozen": async () => {
      telemetry.freeze();
      return async () => telemetry.thaw();
    },
  };
  return {
    address: server.address,
    telemetry: telemetry.kind,
    told: () => told(server),
    traced: () => traced(server),
    strike: (name) => strikes[name](),
  };
}

function told({ log }: ServerProcess): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { level, msg, event, state, why } of log) {
    if (!["warn", "error", "fatal"].includes(String(level))) continue;
    const what = [msg, event ?? state ?? why].filter(Boolean).join(": ");
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

async function traced({ opsAddress }: ServerProcess): Promise<number> {
  const { exported = 0 } = countsOf(await scrape(opsAddress), "sentiment_spans_total");
  return exported;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // The server has ended it.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(20);
  }
}

/** Throws when the server does not have all its processes again in time. */
async function untilWhole({ opsAddress }: ServerProcess): Promise<void> {
  const deadlineMs = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const answer = await fetch(`http://${opsAddress}/readyz`);
    const { processes } = (await answer.json()) as {
      readonly processes: readonly { readonly reasons: readonly string[] }[];
    };
    if (processes.every(({ reasons }) => reasons.length === 0)) return;
    if (performance.now() > deadlineMs)
      throw new Error(`the server does not recover: ${JSON.stringify(processes)}`);
    await sleep(100);
  }
}
