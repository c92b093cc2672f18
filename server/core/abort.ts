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
    outer.addEventListener("abort", leave);
    if (outer.aborted) leave();
    const cancel = this.#clock.after(this.#endMs - this.#clock.now(), () =>
      limit.abort(this.#late()),
    );
    this.#dispose = () => {
      cancel();
      outer.removeEventListener("abort", leave);
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

/** The promise, or the signal's reason as soon as it fires. `onAbort` gives back what the promise was going to use. */
export function orAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  onAbort: () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stay = () => signal.removeEventListener("abort", leave);
    const leave = () => {
      stay();
      onAbort();
      reject(signal.reason);
    };
    if (signal.aborted) {
      // Its end is nobody's business any more, and must not end the process.
      promise.catch(() => {});
      return leave();
    }
    signal.addEventListener("abort", leave);
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
