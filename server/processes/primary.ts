import type { Config } from "../config.js";
import { type Clock, systemClock } from "../core/clock.js";
import { messageOf, ServiceError, StartupError } from "../core/errors.js";
import type { SharedQuota } from "../core/shared-quota.js";
import { createLog, type Log } from "../observe/log.js";
import { MergedMetrics } from "../observe/merged-metrics.js";
import { processMetrics } from "../observe/process-metrics.js";
import type { ProcessEntry } from "../observe/status.js";
import { openOps, processReadings, sharedWeights } from "../parts.js";
import { memoryQuota } from "../quota/memory-quota.js";
import type { AdminCall, PeerOutcome } from "../rpc/across-processes.js";
import { logDecisions } from "../start-up-log.js";
import type { Place } from "./calls.js";
import { choosePort, fork } from "./fork.js";
import { type Forked, type ProcessEvents, SupervisedProcess } from "./supervised-process.js";

/** For /readyz: probes often wait no longer than a second. */
const READY_MS = 500;
/** For /metrics, /status and GetStatus: less than a scraper waits (10 seconds). */
const SCRAPE_MS = 2000;
/** Beyond the process's own limit, so that it tells itself how far it was. */
const ADMIN_GRACE_MS = 2000;
/** Beyond REQUEST_TIMEOUT: the probe period, keeping the answers, ending the inference threads. */
const DRAIN_GRACE_MS = 20_000;

/** Parts that a test may bring instead of the real ones. */
export interface PrimaryParts {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly fork?: () => Forked;
}

/** What stands before several processes that serve one port: starts and replaces them, tells of them, has them do what an admin asks. */
export class Primary implements AsyncDisposable {
  #processes: readonly SupervisedProcess[] = [];
  #draining = false;
  #hasFailed = false;
  /** Those that have served; all of them: the server has started. */
  readonly #served = new Set<number>();
  readonly #started = Promise.withResolvers<void>();
  readonly #merged = new MergedMetrics();
  readonly #quota: SharedQuota;
  readonly #metrics: ReturnType<typeof processMetrics>;
  readonly #opened = new AsyncDisposableStack();
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #fork: () => Forked;

  constructor(config: Config, parts: PrimaryParts = {}) {
    this.#config = config;
    this.#clock = parts.clock ?? systemClock;
    this.#log = parts.log ?? createLog(config.logLevel);
    this.#fork = parts.fork ?? fork;
    this.#quota = memoryQuota(this.#clock);
    this.#metrics = processMetrics(
      () => this.#processes.map(({ state }) => state),
      processReadings(config),
    );
  }

  /** Resolves when all processes serve. Throws StartupError when one of them cannot; none is left then. */
  async start(): Promise<void> {
    const { bindAddress, processes } = this.#config;
    logDecisions(this.#config, this.#log);
    const registry = {
      contentType: this.#metrics.registry.contentType,
      metrics: shared(() => this.#scrape()),
    };
    const ops = {
      registry,
      ready: shared(() => this.#ready()),
      processes: shared(() => Promise.all(this.#processes.map(entryOf))),
    };
    this.#opened.use(await openOps(this.#config, ops, this.#log));
    const grpcPort = await choosePort(bindAddress, this.#config.grpcPort);
    const weights = this.#opened.use(await sharedWeights(this.#config, this.#log));
    const place = { grpcPort, weights: weights?.path };
    const numbers = Array.from({ length: processes }, (_, index) => index + 1);
    this.#processes = numbers.map((number) => this.#startProcess({ ...place, number }));
    await this.#started.promise;
    await weights?.[Symbol.asyncDispose]();
    const address = `${bindAddress}:${grpcPort}`;
    this.#log.info({ address, processes }, `serving gRPC on ${address}`);
  }

  /** Ends all processes at once. */
  kill(): void {
    for (const process of this.#processes) void process.end();
  }

  /** Drains all processes, each as one alone would. Resolves when all have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    // Where one cannot start none is to be left; at a signal those that serve already have calls to finish.
    const drains = !this.#hasFailed && this.#served.size > 0;
    if (drains) this.#log.info("draining all processes");
    const limitMs = this.#config.requestTimeoutMs + DRAIN_GRACE_MS;
    await Promise.all(
      this.#processes.map((process) => (drains ? process.drain(limitMs) : process.end())),
    );
    await this.#opened.disposeAsync();
    if (drains) this.#log.info("stopped");
  }

  get #hasStarted(): boolean {
    return this.#served.size === this.#config.processes;
  }

  #startProcess(place: Place): SupervisedProcess {
    const { number } = place;
    const log = this.#log.child({ process: number });
    const events: ProcessEvents = {
      serving: () => {
        if (this.#served.has(number)) log.info("process replaced");
        this.#served.add(number);
        if (this.#hasStarted) this.#started.resolve();
      },
      died: (how, fault, restMs) => {
        this.#merged.ended(number);
        this.#metrics.metrics.died();
        if (this.#hasStarted)
          return log.error({ how, fault, restMs }, "a process died, and will be replaced");
        if (this.#draining) return;
        const unsaid = `process ${number} ended while it started (${how}): what it wrote before tells why`;
        this.#hasFailed = true;
        this.#started.reject(new StartupError(fault ?? unsaid));
      },
      cut: (why) => log.error({ why }, "a process was ended"),
      report: (error) => log.error({ err: error }, "a process was not answered"),
    };
    const others = (call: AdminCall, signal: AbortSignal) => this.#others(number, call, signal);
    const calls = { begin: () => this.#placeOf(place), others, quota: this.#quota.take };
    return new SupervisedProcess(number, this.#fork, calls, this.#clock, events);
  }

  /** One that takes another's place comes too late for what they shared; who makes a folder of that name by then is not to be trusted. */
  #placeOf(place: Place): Place {
    return this.#hasStarted ? { ...place, weights: undefined } : place;
  }

  async #scrape(): Promise<string> {
    const answered = new Set<number>();
    await Promise.all(
      this.#processes.map(async ({ link, number }) => {
        if (link === undefined) return;
        try {
          const snapshot = await link.ask("metrics", undefined, { limitMs: SCRAPE_MS });
          this.#merged.took(number, snapshot);
          answered.add(number);
        } catch (error) {
          this.#metrics.metrics.late();
          this.#log.warn({ process: number, why: messageOf(error) }, "left out of a scrape");
        }
      }),
    );
    return this.#merged.text(answered, await this.#metrics.registry.getMetricsAsJSON());
  }

  async #ready() {
    const processes = await Promise.all(
      this.#processes.map(async (process) => ({
        process: process.number,
        reasons: await reasonsOf(process),
      })),
    );
    const ready = !this.#draining && processes.some(({ reasons }) => reasons.length === 0);
    return { ready, processes };
  }

  /** Has all processes but that one do it. */
  #others(number: number, call: AdminCall, signal: AbortSignal): Promise<readonly PeerOutcome[]> {
    const limitMs =
      call.name === "getStatus" ? SCRAPE_MS : this.#config.requestTimeoutMs + ADMIN_GRACE_MS;
    const others = this.#processes.filter((process) => process.number !== number);
    return Promise.all(
      others.map(async (process): Promise<PeerOutcome> => {
        try {
          const counts = await linkOf(process).ask("admin", call, { limitMs, signal });
          return { number: process.number, counts };
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          const { reason, message } = error;
          return { number: process.number, fault: { reason, message } };
        }
      }),
    );
  }
}

/** Whoever asks while it is under way waits for the same: a process takes few questions at once, and an admin's are among them. */
function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

function linkOf({ link }: SupervisedProcess) {
  if (link !== undefined) return link;
  throw new ServiceError("PROCESS_DOWN", "It has died, and is being replaced: call again.");
}

async function reasonsOf({ state, link }: SupervisedProcess): Promise<readonly string[]> {
  if (link === undefined) return [state === "resting" ? "died, is being replaced" : "ended"];
  try {
    return await link.ask("reasons", undefined, { limitMs: READY_MS });
  } catch (error) {
    return [messageOf(error)];
  }
}

async function entryOf(process: SupervisedProcess): Promise<ProcessEntry> {
  try {
    const status = await linkOf(process).ask("status", undefined, { limitMs: SCRAPE_MS });
    return { process: process.number, ...status };
  } catch (error) {
    return { process: process.number, fault: messageOf(error) };
  }
}
