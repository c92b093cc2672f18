import type { Clock } from "./clock.js";

/** It took longer than it may. */
export class LateError extends Error {}

/** Time is taken in steps: what this process sleeps through counts as one. */
const STEP_MS = 250;

/**
 * The promise's outcome, or a LateError after `limitMs`, whatever becomes of the promise then. An answer that came in time is taken even
 * where the process was too busy to look at it.
 */
export function within<T>(limitMs: number, clock: Clock, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let leftMs = limitMs;
    const step = () => {
      const stepMs = Math.min(STEP_MS, leftMs);
      leftMs -= stepMs;
      return clock.after(stepMs, () => {
        if (leftMs > 0) cancel = step();
        // Timers run before the sockets are read, immediates after.
        else setImmediate(() => reject(new LateError(`no answer within ${limitMs} ms`)));
      });
    };
    let cancel = step();
    void promise.then(resolve, reject).finally(() => cancel());
  });
}
