import { orAbort, type Signal } from "./abort.js";
import type { Clock } from "./clock.js";
import { ServiceError } from "./errors.js";
import type { ThreadAnswer } from "./in-thread.js";
import { Lanes, type Work } from "./lanes.js";
import { Moderation, REST_MS } from "./moderation.js";
import { SupervisedThread } from "./supervised-thread.js";
import type { ReportThread, ThreadKind } from "./thread-kind.js";

interface Job<Request, Result> extends Work {
  readonly request: Request;
  readonly resolve: (answer: Promise<ThreadAnswer<Result>>) => void;
  readonly reject: (error: unknown) => void;
}

/** A job that is no lane's, of one thread and no other, or of any. */
interface Chore<Request, Result> {
  readonly on: SupervisedThread<Request, Result> | undefined;
  readonly job: Job<Request, Result>;
}

/**
 * A thread has a second request only behind what is over so soon. Behind a long one the other lanes' next would wait for two; and a thread that has nothing for a
 * moment, until this one looks, loses little of so much.
 */
export const SOON_MS = 50;

/** Supervised threads of one kind, and what waits for them: even parts for the kind's lanes. */
export class ThreadPool<Request, Result> implements AsyncDisposable {
  readonly #kind: ThreadKind<Request>;
  readonly #threads: readonly SupervisedThread<Request, Result>[];
  readonly #lanes: Lanes<Job<Request, Result>>;
  /** Before all else: they are few. */
  #chores: Chore<Request, Result>[] = [];
  readonly #moderation: Moderation | undefined;
  #closed = false;

  constructor(count: number, kind: ThreadKind<Request>, clock: Clock, report: ReportThread) {
    this.#kind = kind;
    this.#lanes = new Lanes(kind.lanesStay);
    const dispatch = () => this.#dispatch();
    this.#threads = Array.from(
      { length: count },
      () => new SupervisedThread<Request, Result>(kind, clock, dispatch, report),
    );
    const goOn = () => this.#threads.every(({ aheadMs }) => aheadMs >= REST_MS);
    this.#moderation = kind.takesAllCores ? new Moderation(goOn, clock) : undefined;
  }

  /** Requests that no thread has taken yet. */
  get waiting(): number {
    return this.#lanes.waiting + this.#chores.length;
  }

  /** No thread can be had. */
  get failing(): boolean {
    return this.#threads.every(({ failing }) => failing);
  }

  /** Rejects as the kind says, and with DRAINING once it is closed. */
  ask(request: Request): Promise<ThreadAnswer<Result>> {
    return this.#wait(request, (job) => this.#lanes.add(job)).answer;
  }

  /** The same for somebody who may leave: what no thread has taken by then, none will. Rejects with the signal's reason. */
  askFor(signal: Signal, request: Request): Promise<ThreadAnswer<Result>> {
    signal.throwIfAborted();
    const { job, answer } = this.#wait(request, (one) => this.#lanes.add(one));
    return orAbort(answer, signal, () => this.#lanes.remove(job));
  }

  /** Of whichever thread has nothing to do first, before all that waits in lanes. */
  askAny(request: Request): Promise<ThreadAnswer<Result>> {
    return this.#askOn(undefined, request);
  }

  /** Of each thread, before all that waits in lanes. Rejects as the first one does, when all are done. */
  async askEach(make: () => Request): Promise<ThreadAnswer<Result>[]> {
    const asked = this.#threads.map((on) => this.#askOn(on, make()));
    await Promise.allSettled(asked);
    return Promise.all(asked);
  }

  /** There will be no more requests of that name: neither will a replacement be asked for what it left, nor is its lane needed. */
  forget(name: string): void {
    for (const thread of this.#threads) thread.forget(name);
    this.#lanes.forget(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#chores.splice(0).map(({ job }) => job), ...this.#lanes.clear()];
    for (const job of jobs) job.reject(draining());
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #askOn(on: Chore<Request, Result>["on"], request: Request): Promise<ThreadAnswer<Result>> {
    return this.#wait(request, (job) => this.#chores.push({ on, job })).answer;
  }

  #wait(request: Request, add: (job: Job<Request, Result>) => void) {
    const { promise: answer, resolve, reject } = Promise.withResolvers<ThreadAnswer<Result>>();
    const job: Job<Request, Result> = { ...this.#kind.work(request), request, resolve, reject };
    if (this.#closed) reject(draining());
    else {
      add(job);
      this.#dispatch();
    }
    return { job, answer };
  }

  #dispatch(): void {
    this.#rejectHopeless();
    // To those first that have nothing to do.
    for (let load = 0; load < this.#kind.depth; load++) {
      for (const thread of this.#threads) {
        const isNext = thread.free && thread.load === load && thread.expectedMs <= SOON_MS;
        if (isNext) this.#give(thread);
      }
    }
    this.#moderation?.look();
  }

  /** Who waits for a thread that may never come back would wait until its time is up. */
  #rejectHopeless(): void {
    const isHopeless = ({ on }: Chore<Request, Result>) => (on ?? this).failing;
    const hopeless = this.#chores.filter(isHopeless).map(({ job }) => job);
    if (hopeless.length > 0) this.#chores = this.#chores.filter((one) => !isHopeless(one));
    if (this.failing) hopeless.push(...this.#lanes.clear());
    for (const job of hopeless) job.reject(this.#kind.lost("none"));
  }

  /** Its next request, if there is one. */
  #give(thread: SupervisedThread<Request, Result>): void {
    const place = this.#chores.findIndex(({ on }) => on === undefined || on === thread);
    if (place >= 0) {
      const [chore] = this.#chores.splice(place, 1);
      chore?.job.resolve(thread.ask(chore.job.request));
      return;
    }
    const turn = this.#lanes.take();
    if (turn === undefined) return;
    const answer = thread.ask(turn.job.request, turn.expectedMs);
    answer.then(
      ({ ms }) => turn.ended(ms),
      () => turn.ended(),
    );
    turn.job.resolve(answer);
  }
}

const draining = () =>
  new ServiceError("DRAINING", "The server is shutting down: try another one.");
