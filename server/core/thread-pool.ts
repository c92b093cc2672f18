import { orAbort } from "./abort.js";
import type { Clock } from "./clock.js";
import { ServiceError } from "./errors.js";
import type { ThreadAnswer } from "./in-thread.js";
import { type ReportThread, SupervisedThread, type ThreadKind } from "./supervised-thread.js";

interface Job<Request, Result> {
  /** Where it must run; anywhere when undefined. */
  readonly on: SupervisedThread<Request, Result> | undefined;
  readonly request: Request;
  readonly resolve: (answer: Promise<ThreadAnswer<Result>>) => void;
  readonly reject: (error: unknown) => void;
}

/** Supervised threads of one kind, and what waits for them, first come first served. */
export class ThreadPool<Request, Result> implements AsyncDisposable {
  readonly #kind: ThreadKind<Request>;
  readonly #threads: readonly SupervisedThread<Request, Result>[];
  readonly #jobs: Job<Request, Result>[] = [];
  #closed = false;

  constructor(count: number, kind: ThreadKind<Request>, clock: Clock, report: ReportThread) {
    this.#kind = kind;
    const dispatch = () => this.#dispatch();
    this.#threads = Array.from(
      { length: count },
      () => new SupervisedThread<Request, Result>(kind, clock, dispatch, report),
    );
  }

  /** Requests that no thread has taken yet. */
  get waiting(): number {
    return this.#jobs.length;
  }

  /** No thread can be had. */
  get failing(): boolean {
    return this.#threads.every(({ failing }) => failing);
  }

  /** Rejects as the kind says, and with DRAINING once it is closed. */
  ask(request: Request, on?: SupervisedThread<Request, Result>): Promise<ThreadAnswer<Result>> {
    return this.#add(request, on).answer;
  }

  /** The same for somebody who may leave: what no thread has taken by then, none will. Rejects with the signal's reason. */
  askFor(signal: AbortSignal, request: Request): Promise<ThreadAnswer<Result>> {
    signal.throwIfAborted();
    const { job, answer } = this.#add(request);
    return orAbort(answer, signal, () => {
      const place = this.#jobs.indexOf(job);
      if (place >= 0) this.#jobs.splice(place, 1);
    });
  }

  askEach(make: () => Request): Promise<ThreadAnswer<Result>[]> {
    return Promise.all(this.#threads.map((thread) => this.ask(make(), thread)));
  }

  /** Replacements will not be asked for this any more. */
  forget(name: string): void {
    for (const thread of this.#threads) thread.forget(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const job of this.#jobs.splice(0)) job.reject(draining());
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #add(request: Request, on?: SupervisedThread<Request, Result>) {
    const { promise: answer, resolve, reject } = Promise.withResolvers<ThreadAnswer<Result>>();
    const job: Job<Request, Result> = { on, request, resolve, reject };
    if (this.#closed) reject(draining());
    else {
      this.#jobs.push(job);
      this.#dispatch();
    }
    return { job, answer };
  }

  #dispatch(): void {
    // Who waits for a thread that may never come back would wait until its time is up.
    const hopeless = ({ on }: Job<Request, Result>) => (on ? on.failing : this.failing);
    if (this.#threads.some(({ failing }) => failing)) {
      for (let job = this.#take(hopeless); job !== undefined; job = this.#take(hopeless))
        job.reject(this.#kind.lost("none"));
    }
    // To those first that have nothing to do.
    for (let load = 0; load < this.#kind.depth; load++) {
      for (const thread of this.#threads.filter((one) => one.free && one.load === load)) {
        const job = this.#take(({ on }) => on === undefined || on === thread);
        job?.resolve(thread.ask(job.request));
      }
    }
  }

  #take(which: (job: Job<Request, Result>) => boolean): Job<Request, Result> | undefined {
    const place = this.#jobs.findIndex(which);
    return place < 0 ? undefined : this.#jobs.splice(place, 1)[0];
  }
}

const draining = () =>
  new ServiceError("DRAINING", "The server is shutting down: try another one.");
