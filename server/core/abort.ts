import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.js";

/**
 * Runs `work` with a signal that fires when the caller leaves or when `limitMs` have passed, whichever is first.
 * `late` makes the reason for the second case where it happens, so that the stack tells the truth.
 */
export async function withLimit<T>(
  signal: AbortSignal,
  limitMs: number,
  clock: Clock,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  // Each batch that has a row of the call listens.
  setMaxListeners(0, limit.signal);
  const leave = () => limit.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  const cancel = clock.after(limitMs, () => limit.abort(late()));
  try {
    return await work(limit.signal);
  } finally {
    cancel();
    signal.removeEventListener("abort", leave);
  }
}

/** The promise, or the signal's reason as soon as it fires. `onAbort` gives back what the promise was going to use. */
export function orAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  onAbort: () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = () => {
      onAbort();
      reject(signal.reason);
    };
    if (signal.aborted) {
      // Its end is nobody's business any more, and must not end the process.
      promise.catch(() => {});
      return leave();
    }
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
