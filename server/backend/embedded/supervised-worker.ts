import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.js";
import { messageOf, ServiceError } from "../../core/errors.js";
import { ModelError } from "../backend.js";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./messages.js";

/** Told what becomes of a worker; for the log. */
export type ReportWorker = (event: "died" | "replaced" | "failed", detail: string) => void;

const ENTRY = new URL("./session-worker.js", import.meta.url);
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5000;
/** A thread that is ended while onnxruntime works takes the whole process with it now and then (an uncaught Napi::Error). */
const CLOSE_LIMIT_MS = 10_000;

/** What a worker made of a request. */
export interface WorkerAnswer {
  /** Empty but for an inference. */
  readonly logits: Float32Array;
  /** That the worker took, waiting left out. */
  readonly ms: number;
}

interface Exchange {
  resolve(answer: WorkerAnswer): void;
  reject(error: unknown): void;
}

/** Requests that a worker has at once: one that it works on, and one that it goes on with, without waiting for this thread. */
export const DEPTH = 2;

/**
 * One session worker that is replaced when it dies. It answers requests one after the other. Those that it has when the
 * worker dies are rejected with BACKEND_DOWN; the replacement loads every model again before it takes another.
 */
export class SupervisedWorker {
  #thread: Worker;
  /** The thread lives and has loaded every model that it ought to have. */
  #ready = true;
  #failing = false;
  /** In the order in which the worker answers them. */
  #exchanges: Exchange[] = [];
  /** Resolves when what is under way is answered. */
  #settled: Promise<unknown> = Promise.resolve();
  #restMs = FIRST_REST_MS;
  #closed = false;
  #cancelRest = () => {};
  readonly #loads = new Map<string, WorkerRequest>();
  readonly #options: WorkerOptions;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #report: ReportWorker;

  /** `onChange` is called whenever the worker can take a request that it could not take before, or begins to fail. */
  constructor(options: WorkerOptions, clock: Clock, onChange: () => void, report: ReportWorker) {
    this.#options = options;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#report = report;
    this.#thread = this.#start();
  }

  /** It can take a request now. */
  get free(): boolean {
    return this.#ready && this.#exchanges.length < DEPTH;
  }

  /** Requests that it has. */
  get load(): number {
    return this.#exchanges.length;
  }

  /** It died, and could not be replaced so far. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Only while it is free. Rejects with ModelError for what the model refused, BACKEND_DOWN when the worker died over it. */
  async ask(request: WorkerRequest): Promise<WorkerAnswer> {
    const answer = await this.#send(request);
    if (request.kind === "load") this.#loads.set(request.model, request);
    return answer;
  }

  /** A replacement will not load this model any more. */
  forget(model: string): void {
    this.#loads.delete(model);
  }

  /** Takes nothing more, lets what is under way end within a limit, and ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready = false;
    this.#cancelRest();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(CLOSE_LIMIT_MS, resolve);
    await Promise.race([this.#settled, late]);
    cancel();
    await this.#thread.terminate();
  }

  #send(request: WorkerRequest): Promise<WorkerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerAnswer>();
    this.#exchanges.push({ resolve, reject });
    this.#settled = Promise.allSettled([this.#settled, promise]);
    const transfer =
      request.kind === "infer"
        ? [request.batch.inputIds.buffer, request.batch.attentionMask.buffer]
        : [];
    this.#thread.postMessage(request, transfer);
    return promise;
  }

  #start(): Worker {
    const thread = new Worker(ENTRY, { workerData: this.#options, name: "sentiment-inference" });
    let cause: unknown;
    thread.on("error", (error) => {
      cause = error;
    });
    thread.on("message", (reply: WorkerReply) => this.#settle(reply));
    thread.on("exit", (code) => this.#onExit(code, cause));
    return thread;
  }

  #settle(reply: WorkerReply): void {
    const exchange = this.#exchanges.shift();
    if (reply.kind === "done") exchange?.resolve(reply);
    else exchange?.reject(new ModelError(reply.error));
    this.#onChange();
  }

  #onExit(code: number, cause: unknown): void {
    this.#ready = false;
    const died = new ServiceError("BACKEND_DOWN", "The inference worker died.", {
      retryAfterMs: 1000,
      cause,
    });
    for (const exchange of this.#exchanges.splice(0)) exchange.reject(died);
    if (this.#closed) return;
    this.#report(
      "died",
      `exit code ${code}, next try in ${this.#restMs} ms${cause === undefined ? "" : `: ${cause}`}`,
    );
    this.#cancelRest = this.#clock.after(this.#restMs, () => void this.#replace());
    this.#restMs = Math.min(this.#restMs * 2, LONGEST_REST_MS);
  }

  async #replace(): Promise<void> {
    this.#thread = this.#start();
    try {
      for (const request of this.#loads.values()) {
        await this.#send(request);
        if (this.#closed) return;
      }
    } catch (error) {
      this.#failing = true;
      this.#report("failed", messageOf(error));
      this.#onChange();
      // Its exit, of this or of what killed it, starts the next try.
      await this.#thread.terminate();
      return;
    }
    this.#ready = true;
    this.#failing = false;
    this.#restMs = FIRST_REST_MS;
    this.#report("replaced", `${this.#loads.size} models loaded`);
    this.#onChange();
  }
}
