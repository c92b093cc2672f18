import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.js";
import { messageOf, ServiceError } from "../../core/errors.js";
import { ModelError } from "../backend.js";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./messages.js";

/** Told what becomes of a worker; for the log. */
export type ReportWorker = (
  event: "died" | "hangs" | "replaced" | "failed",
  detail: string,
) => void;

const ENTRY = new URL("./session-worker.js", import.meta.url);
// Otherwise onnxruntime tells Microsoft about the models it loads (since 1.29, on Linux too). It looks at the process's own variables, of which a thread has but a copy.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5000;
/** A thread that is ended while onnxruntime works takes the whole process with it now and then (an uncaught Napi::Error). */
const CLOSE_LIMIT_MS = 10_000;
/** From one look at what is under way to the next. */
const LOOK_MS = 5000;
/** Looks that an inference may last: a minute, far more than any batch takes; on a GPU ten, where TensorRT may build an engine for a new shape first. Looks, not time: a process that was stopped for an hour has missed one. */
const MOST_LOOKS = { cpu: 12, gpu: 120 };

/** What a worker made of a request. */
export interface WorkerAnswer {
  /** Empty but for an inference. */
  readonly logits: Float32Array;
  /** That the worker took, waiting left out. */
  readonly ms: number;
}

interface Exchange {
  readonly kind: WorkerRequest["kind"];
  resolve(answer: WorkerAnswer): void;
  reject(error: unknown): void;
}

/** Requests that a worker has at once: one that it works on, and one that it goes on with, without waiting for this thread. */
export const DEPTH = 2;

/**
 * One session worker that is replaced when it dies, or hangs. It answers requests one after the other. Those that it has then
 * are rejected with BACKEND_DOWN; the replacement loads every model again before it takes another.
 */
export class SupervisedWorker {
  #thread: Worker;
  /** The thread lives and has loaded every model that it ought to have. */
  #ready = true;
  #failing = false;
  /** In the order in which the worker answers them. */
  #exchanges: Exchange[] = [];
  /** Resolves when what is under way is answered. */
  #settled: Promise<void> = Promise.resolve();
  #restMs = FIRST_REST_MS;
  #closed = false;
  #cancelRest = () => {};
  #cancelLook: (() => void) | undefined;
  /** Threads that were given up, and how many answers each still owes. */
  readonly #hung = new Map<Worker, number>();
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
    this.#cancelLook?.();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(CLOSE_LIMIT_MS, resolve);
    await Promise.race([this.#settled, late]);
    cancel();
    if (!this.#hung.has(this.#thread)) await this.#thread.terminate();
  }

  #send(request: WorkerRequest): Promise<WorkerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerAnswer>();
    this.#exchanges.push({ kind: request.kind, resolve, reject });
    if (this.#cancelLook === undefined) this.#lookAgain(this.#exchanges[0], 0);
    // Without what they came to, which would hold all answers there ever were.
    this.#settled = Promise.allSettled([this.#settled, promise]).then(() => {});
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
    thread.on("message", (reply: WorkerReply) => {
      if (this.#hung.has(thread)) this.#cameBack(thread);
      else this.#settle(reply);
    });
    thread.on("exit", (code) => {
      if (!this.#hung.delete(thread)) this.#onExit(code, cause);
    });
    return thread;
  }

  /** While anything is under way. `watched` was the first of it for so many looks. */
  #lookAgain(watched: Exchange | undefined, looks: number): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      this.#cancelLook = undefined;
      const [first] = this.#exchanges;
      if (first === undefined) return;
      const seen = first === watched ? looks + 1 : 0;
      const most = this.#options.gpu ? MOST_LOOKS.gpu : MOST_LOOKS.cpu;
      if (first.kind === "infer" && seen >= most) this.#giveUp(seen);
      else this.#lookAgain(first, seen);
    });
  }

  /** It is not ended while it works (see CLOSE_LIMIT_MS), only left to itself. */
  #giveUp(looks: number): void {
    this.#hung.set(this.#thread, this.#exchanges.length);
    this.#thread.unref();
    this.#lost("hangs", `an inference takes over ${(looks * LOOK_MS) / 1000} s`, undefined);
  }

  /** After all: it ends once it has nothing more to do. */
  #cameBack(thread: Worker): void {
    const owed = (this.#hung.get(thread) ?? 1) - 1;
    this.#hung.set(thread, owed);
    if (owed === 0) void thread.terminate();
  }

  #settle(reply: WorkerReply): void {
    const exchange = this.#exchanges.shift();
    if (reply.kind === "done") exchange?.resolve(reply);
    else exchange?.reject(new ModelError(reply.error));
    this.#onChange();
  }

  #onExit(code: number, cause: unknown): void {
    this.#lost("died", `exit code ${code}`, cause);
  }

  #lost(event: "died" | "hangs", how: string, cause: unknown): void {
    this.#ready = false;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    const gone = new ServiceError("BACKEND_DOWN", "The inference worker was lost.", {
      retryAfterMs: 1000,
      cause,
    });
    for (const exchange of this.#exchanges.splice(0)) exchange.reject(gone);
    if (this.#closed) return;
    const why = cause === undefined ? "" : `: ${cause}`;
    this.#report(event, `${how}, next try in ${this.#restMs} ms${why}`);
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
