import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import type { Clock } from "./clock.js";
import { messageOf, ServiceError } from "./errors.js";
import type { ThreadAnswer, ThreadReply, ThreadStart } from "./in-thread.js";
import type { ReportThread, ThreadKind } from "./thread-kind.js";

/**
 * A thread works on one request at a time, of which next to nothing outlives it. V8's own bound is 48 MB, which a thread that reads texts gets to after thousands of
 * them, and keeps.
 */
const LIMITS = { maxYoungGenerationSizeMb: 12 };
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5000;
/** What is under way when it is closed may take so long. */
const CLOSE_LIMIT_MS = 10_000;
/** From one look at what is under way to the next. */
const LOOK_MS = 5000;

interface Exchange<Result> {
  readonly expectedMs: number;
  readonly mostLooks: number;
  readonly answer: Promise<ThreadAnswer<Result>>;
  resolve(answer: ThreadAnswer<Result>): void;
  reject(error: unknown): void;
}

const expectedMsOf = (exchanges: readonly Exchange<unknown>[]): number =>
  exchanges.reduce((sum, { expectedMs }) => sum + expectedMs, 0);

/**
 * A thread that is replaced when it dies, or hangs. It answers requests one after the other. Those that it has then are rejected; the replacement is asked
 * for all that others have left in it before it takes another.
 */
export class SupervisedThread<Request, Result> {
  #thread: Worker;
  /** To that thread. It closes with it. */
  #port!: MessagePort;
  /** The thread lives and has all that it ought to have. */
  #ready = true;
  #failing = false;
  /** In the order in which the thread answers them. */
  #exchanges: Exchange<Result>[] = [];
  #restMs = FIRST_REST_MS;
  #closed = false;
  #cancelRest = () => {};
  #cancelLook: (() => void) | undefined;
  /** Threads that were given up, and how many answers each still owes. */
  readonly #hung = new Map<Worker, number>();
  readonly #left = new Map<string, Request>();
  readonly #kind: ThreadKind<Request>;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #report: ReportThread;

  /** `onChange` is called whenever the thread can take a request that it could not take before, or begins to fail. */
  constructor(kind: ThreadKind<Request>, clock: Clock, onChange: () => void, report: ReportThread) {
    this.#kind = kind;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#report = report;
    this.#thread = this.#start();
  }

  /** It can take a request now. */
  get free(): boolean {
    return this.#ready && this.#exchanges.length < this.#kind.depth;
  }

  /** Requests that it has. */
  get load(): number {
    return this.#exchanges.length;
  }

  /** Milliseconds that it takes for those, by those who asked; Infinity where one of them did not know. */
  get expectedMs(): number {
    return expectedMsOf(this.#exchanges);
  }

  /** The same of those behind the one that it works on, of which nobody knows how far it is. */
  get aheadMs(): number {
    return expectedMsOf(this.#exchanges.slice(1));
  }

  /** It died, and could not be replaced so far. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Only while it is free. Rejects as the kind says. */
  async ask(
    request: Request,
    expectedMs = Number.POSITIVE_INFINITY,
  ): Promise<ThreadAnswer<Result>> {
    const answer = await this.#send(request, expectedMs);
    const left = this.#kind.leaves(request);
    if (left !== undefined) this.#left.set(left.name, left.again);
    return answer;
  }

  /** A replacement will not be asked for this any more. */
  forget(name: string): void {
    this.#left.delete(name);
  }

  /** Takes nothing more, lets what is under way end within a limit, and ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready = false;
    this.#cancelRest();
    this.#cancelLook?.();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(CLOSE_LIMIT_MS, resolve);
    const answered = Promise.allSettled(this.#exchanges.map(({ answer }) => answer));
    await Promise.race([answered, late]);
    cancel();
    if (!this.#hung.has(this.#thread)) await this.#thread.terminate();
  }

  #send(request: Request, expectedMs = Number.POSITIVE_INFINITY): Promise<ThreadAnswer<Result>> {
    const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer<Result>>();
    const mostLooks = this.#kind.mostLooks(request);
    this.#exchanges.push({ expectedMs, mostLooks, answer: promise, resolve, reject });
    if (this.#cancelLook === undefined) this.#lookAgain(this.#exchanges[0], 0);
    this.#port.postMessage(request);
    return promise;
  }

  #start(): Worker {
    const { entry, name, options } = this.#kind;
    const { port1: port, port2 } = new MessageChannel();
    const workerData: ThreadStart = { port: port2, options };
    const transferList = [port2];
    const thread = new Worker(entry, { workerData, transferList, name, resourceLimits: LIMITS });
    this.#port = port;
    let cause: unknown;
    thread.on("error", (error) => {
      cause = error;
    });
    const take = (reply: ThreadReply<Result>) => {
      if (this.#hung.has(thread)) this.#cameBack(thread);
      else this.#settle(reply);
    };
    port.on("message", take);
    // The thread itself keeps the process alive.
    port.unref();
    thread.on("exit", (code) => {
      // What it has answered before it died may still be on its way.
      for (let last = receiveMessageOnPort(port); last; last = receiveMessageOnPort(port))
        take(last.message);
      port.close();
      if (!this.#hung.delete(thread)) this.#onExit(code, cause);
    });
    return thread;
  }

  /** While anything is under way. `watched` was the first of it for so many looks. */
  #lookAgain(watched: Exchange<Result> | undefined, looks: number): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      this.#cancelLook = undefined;
      const [first] = this.#exchanges;
      if (first === undefined) return;
      const seen = first === watched ? looks + 1 : 0;
      if (seen >= first.mostLooks) this.#giveUp(seen);
      else this.#lookAgain(first, seen);
    });
  }

  /** One that may not be ended while it works is left to itself. */
  #giveUp(looks: number): void {
    this.#hung.set(this.#thread, this.#exchanges.length);
    this.#thread.unref();
    if (this.#kind.isEndable) void this.#thread.terminate();
    this.#lost("hangs", `one request takes over ${(looks * LOOK_MS) / 1000} s`, undefined);
  }

  /** After all: it ends once it has nothing more to do. */
  #cameBack(thread: Worker): void {
    const owed = (this.#hung.get(thread) ?? 1) - 1;
    this.#hung.set(thread, owed);
    if (owed === 0) void thread.terminate();
  }

  #settle(reply: ThreadReply<Result>): void {
    const exchange = this.#exchanges.shift();
    if (reply.kind === "done") exchange?.resolve(reply);
    else if (reply.reason) exchange?.reject(new ServiceError(reply.reason, reply.error));
    else exchange?.reject(this.#kind.refused(reply.error));
    // After whoever was answered: what he asks next is to have its turn with what waits already.
    setImmediate(this.#onChange);
  }

  #onExit(code: number, cause: unknown): void {
    this.#lost("died", `exit code ${code}`, cause);
  }

  #lost(event: "died" | "hangs", how: string, cause: unknown): void {
    this.#ready = false;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    const gone = this.#kind.lost(event, cause);
    for (const exchange of this.#exchanges.splice(0)) exchange.reject(gone);
    if (this.#closed) return;
    const why = cause === undefined ? "" : `: ${cause}`;
    this.#report(event, `${how}, next try in ${this.#restMs} ms${why}`);
    this.#replaceSoon();
  }

  #replaceSoon(): void {
    this.#cancelRest = this.#clock.after(this.#restMs, () => void this.#replace());
    this.#restMs = Math.min(this.#restMs * 2, LONGEST_REST_MS);
  }

  #fails(error: unknown): void {
    this.#failing = true;
    this.#report("failed", messageOf(error));
    this.#onChange();
  }

  async #replace(): Promise<void> {
    try {
      this.#thread = this.#start();
    } catch (error) {
      // The system has no room for one more.
      this.#fails(error);
      this.#replaceSoon();
      return;
    }
    try {
      for (const request of this.#left.values()) {
        await this.#send(request);
        if (this.#closed) return;
      }
    } catch (error) {
      this.#fails(error);
      // Its exit, of this or of what killed it, starts the next try.
      await this.#thread.terminate();
      return;
    }
    this.#ready = true;
    this.#failing = false;
    this.#restMs = FIRST_REST_MS;
    this.#report("replaced", `${this.#left.size} loaded`);
    this.#onChange();
  }
}
