import type { Clock } from "./clock.js";

/** Somebody who waits for an answer. */
export interface Caller {
  /** Fires when he waits no longer. */
  readonly signal: AbortSignal;
}

/**
 * A caller whose signal fires when the one of `signal` leaves or when `limitMs` have passed, whichever is first, until it is disposed of.
 * `late` makes the reason for the second case where it happens, so that the stack tells the truth. Throws the signal's reason where it has fired.
 */
export function limitedCaller(
  signal: AbortSignal,
  limitMs: number,
  clock: Clock,
  late: () => Error,
): Caller & Disposable {
  signal.throwIfAborted();
  return new LimitedCaller(signal, clock.now() + limitMs, clock, late);
}

/** Runs `work` for a `limitedCaller`. */
export async function withLimit<T>(
  signal: AbortSignal,
  limitMs: number,
  clock: Clock,
  late: () => Error,
  work: (caller: Caller) => Promise<T>,
): Promise<T> {
  using caller = limitedCaller(signal, limitMs, clock, late);
  return await work(caller);
}

/** Its signal, with timer and listener, is made when it is asked for: what is answered from memory does without. */
class LimitedCaller implements Caller, Disposable {
  #limit: AbortController | undefined;
  #dispose = () => {};
  readonly #outer: AbortSignal;
  readonly #endMs: number;
  readonly #clock: Clock;
  readonly #late: () => Error;

  constructor(outer: AbortSignal, endMs: number, clock: Clock, late: () => Error) {
    this.#outer = outer;
    this.#endMs = endMs;
    this.#clock = clock;
    this.#late = late;
  }

  get signal(): AbortSignal {
    this.#limit ??= this.#begin();
    return this.#limit.signal;
  }

  [Symbol.dispose](): void {
    this.#dispose();
  }

  #begin(): AbortController {
    const limit = new AbortController();
    const outer = this.#outer;
    const leave = () => limit.abort(outer.reason);
    const stay = onAbort(outer, leave);
    if (outer.aborted) leave();
    const cancel = this.#clock.after(this.#endMs - this.#clock.now(), () =>
      limit.abort(this.#late()),
    );
    this.#dispose = () => {
      cancel();
      stay();
    };
    return limit;
  }
}

/** Resolves after `ms`. Rejects with the signal's reason as soon as it fires. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  return orAbort(over, signal, () => cancel());
}

/** Those who want to know when a signal fires, at the signal itself: what a WeakMap has is what V8's collector is slow with. */
const LEAVING = Symbol("leaving");
type Watched = AbortSignal & { [LEAVING]?: Set<() => void> };

/**
 * Has `leave` called when the signal fires, once, until what it returns is called. `leave` must not throw. With a single listener a signal: Node looks through all of them to
 * take one away, and a stream has as many as it has texts under way.
 */
export function onAbort(signal: Watched, leave: () => void): () => void {
  const leaving = signal[LEAVING] ?? watch(signal);
  leaving.add(leave);
  return () => void leaving.delete(leave);
}

function watch(signal: Watched): Set<() => void> {
  const leaving = new Set<() => void>();
  signal[LEAVING] = leaving;
  const tell = () => {
    for (const leave of leaving) leave();
    leaving.clear();
  };
  signal.addEventListener("abort", tell, { once: true });
  return leaving;
}

/**
 * Fires with the first of both, until it is disposed of. Not AbortSignal.any(): Node keeps such a signal for as long as it has a listener and one of its sources is there,
 * which may be as long as the process.
 */
export function eitherOf(one: AbortSignal, other: AbortSignal): Caller & Disposable {
  const either = new AbortController();
  const stays = [one, other].map((source) => {
    if (source.aborted) either.abort(source.reason);
    return onAbort(source, () => either.abort(source.reason));
  });
  return {
    signal: either.signal,
    [Symbol.dispose]() {
      for (const stay of stays) stay();
    },
  };
}

/** The promise, or the signal's reason as soon as it fires. `giveBack` does so with what the promise was going to use. */
export function orAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  giveBack: () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = () => {
      giveBack();
      reject(signal.reason);
    };
    if (signal.aborted) {
      // Its end is nobody's business any more, and must not end the process.
      promise.catch(() => {});
      return leave();
    }
    const stay = onAbort(signal, leave);
    // Not by `finally`, which makes two more promises; this is thrice on the path of a call.
    promise.then(
      (result) => {
        stay();
        resolve(result);
      },
      (error: unknown) => {
        stay();
        reject(error);
      },
    );
  });
}
