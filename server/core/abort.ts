import { Chain } from "./chain.js";
import type { Clock } from "./clock.js";

/** An AbortSignal or a Leaving, and what is asked of it: it fires when somebody waits no longer, or work is given up. `onAbort` hears of it. */
export type Signal = Pick<AbortSignal, "aborted" | "reason" | "throwIfAborted">;

/** Somebody who waits for an answer. */
export interface Caller {
  /** Fires when he waits no longer. */
  readonly signal: Signal;
}

/**
 * A caller whose signal fires when the one of `signal` leaves or when `limitMs` have passed, whichever is first, until it is disposed of.
 * `late` makes the reason for the second case where it happens, so that the stack tells the truth. Throws the signal's reason where it has fired.
 */
export function limitedCaller(
  signal: Signal,
  limitMs: number,
  clock: Clock,
  late: () => Error,
): Caller & Disposable {
  signal.throwIfAborted();
  return new LimitedCaller(signal, clock.now() + limitMs, clock, late);
}

/** Runs `work` for a `limitedCaller`. */
export async function withLimit<T>(
  signal: Signal,
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
  #limit: Leaving | undefined;
  #dispose = () => {};
  readonly #outer: Signal;
  readonly #endMs: number;
  readonly #clock: Clock;
  readonly #late: () => Error;

  constructor(outer: Signal, endMs: number, clock: Clock, late: () => Error) {
    this.#outer = outer;
    this.#endMs = endMs;
    this.#clock = clock;
    this.#late = late;
  }

  get signal(): Signal {
    this.#limit ??= this.#begin();
    return this.#limit;
  }

  [Symbol.dispose](): void {
    this.#dispose();
  }

  #begin(): Leaving {
    const limit = new Leaving();
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
export function pause(ms: number, clock: Clock, signal: Signal): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  return orAbort(over, signal, () => cancel());
}

/** Those who want to know when a signal fires, at the signal itself: what a WeakMap has is what V8's collector is slow with. */
const LISTENERS = Symbol("listeners");
type Listeners = Chain<() => void>;
type Watched = Signal & { [LISTENERS]?: Listeners | undefined };

/**
 * A signal, and who fires it, once. An AbortController makes an EventTarget and a Map for each: too much for what each text has two of.
 */
export class Leaving implements Watched {
  aborted = false;
  reason: unknown;
  [LISTENERS]: Listeners | undefined = undefined;

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    if (this[LISTENERS] !== undefined) tell(this[LISTENERS]);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
}

/**
 * Has `leave` called when the signal fires, once, until what it returns is called. `leave` must not throw. With a single listener an AbortSignal: Node looks through all of
 * them to take one away, and a stream has as many as it has texts under way.
 */
export function onAbort(signal: Watched, leave: () => void): () => void {
  const listeners = signal[LISTENERS] ?? watch(signal);
  const link = listeners.add(leave);
  return () => listeners.remove(link);
}

function watch(signal: Watched): Listeners {
  const listeners: Listeners = new Chain();
  signal[LISTENERS] = listeners;
  if (!(signal instanceof Leaving))
    (signal as AbortSignal).addEventListener("abort", () => tell(listeners), { once: true });
  return listeners;
}

/** Each is out before it is told: it may call off others. */
function tell(listeners: Listeners): void {
  for (let next = listeners.first; next !== undefined; next = listeners.first) {
    listeners.remove(next);
    next.value();
  }
}

/**
 * Fires with the first of both, until it is disposed of. Not AbortSignal.any(): Node keeps such a signal for as long as it has a listener and one of its sources is there,
 * which may be as long as the process.
 */
export function eitherOf(
  one: Signal,
  other: Signal,
): Disposable & { readonly signal: AbortSignal } {
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
export function orAbort<T>(promise: Promise<T>, signal: Signal, giveBack: () => void): Promise<T> {
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
