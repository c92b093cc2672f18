import cluster from "node:cluster";
import { type AppParts, type Observed, startApp } from "../app.js";
import type { Config } from "../config.js";
import { systemClock } from "../core/clock.js";
import { ServiceError, StartupError } from "../core/errors.js";
import { unlessStopped } from "../core/unless-stopped.js";
import { createLog, type Log } from "../observe/log.js";
import { answerCall, type LocalAdmin } from "../rpc/across-processes.js";
import type { PrimaryCalls, ProcessCalls } from "./calls.js";
import { type Channel, Link } from "./link.js";

/** The primary has nothing to do that takes longer. */
const PRIMARY_MS = 10_000;
/** Nobody waits for it but the next telling. */
const QUOTA_MS = 1000;
/** Beyond the limits of the others, so that the primary tells of those. */
const OTHERS_GRACE_MS = 5000;

/** One of several processes behind a port: serves until `stopped`, until the primary says so, or until there is no primary any more. */
export async function runMember(config: Config, stopped: Promise<void>): Promise<void> {
  const drained = Promise.withResolvers<void>();
  void stopped.then(drained.resolve);
  // Else Node ends a process of a cluster at once when its primary is gone, with all its calls.
  cluster.worker?.once("disconnect", () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    drained.resolve();
  });
  const member = new Member(config, createLog(config.logLevel), drained.resolve);
  try {
    await member.serve(drained.promise);
  } catch (error) {
    // A ServiceError here: a worker died while it loaded a model.
    if (!(error instanceof StartupError || error instanceof ServiceError)) throw error;
    process.exitCode = 1;
    await member.fail(error.message);
  } finally {
    // The channel would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

class Member {
  #observed: Observed | undefined;
  #admin: LocalAdmin | undefined;
  #isServing = false;
  readonly #config: Config;
  readonly #log: Log;
  readonly #link: Link<ProcessCalls, PrimaryCalls>;

  constructor(config: Config, log: Log, drain: () => void) {
    this.#config = config;
    this.#log = log;
    const report = (error: unknown) => log.error({ err: error }, "the primary was not answered");
    this.#link = new Link(
      toPrimary,
      {
        metrics: async () => (await this.#observed?.registry.getMetricsAsJSON()) ?? [],
        reasons: () => this.#observed?.readiness.reasons() ?? ["starting"],
        admin: (call, signal) => {
          if (this.#admin !== undefined) return answerCall(this.#admin, call, signal);
          throw isStarting();
        },
        status: () => {
          if (this.#observed !== undefined) return this.#observed.status();
          throw isStarting();
        },
        drain,
      },
      systemClock,
      report,
    );
    process.once("disconnect", () => this.#link.close());
  }

  /** Throws what `startApp` throws. */
  async serve(until: Promise<void>): Promise<void> {
    const place = await this.#link.ask("begin", undefined, { limitMs: PRIMARY_MS });
    const { number, grpcPort, weights } = place;
    const { cache, requestTimeoutMs } = this.#config;
    const file = cache?.file === undefined ? undefined : `${cache.file}.${number}`;
    const config = { ...this.#config, grpcPort, cache: cache && { ...cache, file } };
    const limitMs = requestTimeoutMs + OTHERS_GRACE_MS;
    const parts: AppParts = {
      log: this.#log.child({ process: number }),
      weights: () => (this.#isServing ? undefined : weights),
      observer: (observed) => {
        this.#observed = observed;
      },
      peers: {
        answerBy: (admin) => {
          this.#admin = admin;
        },
        ask: (call, signal) => this.#link.ask("others", call, { limitMs, signal }),
      },
      sharedQuota: {
        take: (spent) => this.#link.ask("quota", spent, { limitMs: QUOTA_MS }),
      },
    };
    await using app = await unlessStopped(startApp(config, parts), until);
    // Threads that load a model do not bear to be ended: onnxruntime would end the process with a message of its own.
    if (app === undefined) process.kill(process.pid, "SIGKILL");
    this.#isServing = true;
    // Without a primary it drains at once.
    await this.#link.ask("serving", undefined, { limitMs: PRIMARY_MS }).catch(() => {});
    await until;
  }

  async fail(message: string): Promise<void> {
    await this.#link.ask("failed", message, { limitMs: PRIMARY_MS }).catch(() => {});
  }
}

const isStarting = () => new ServiceError("PROCESS_DOWN", "It is starting: call again.");

const toPrimary: Channel = {
  // With a callback an error is told to it, and not thrown.
  send: (message) => void process.send?.(message, undefined, {}, () => {}),
  listen: (onMessage) => void process.on("message", onMessage),
};
