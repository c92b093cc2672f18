import type { Clock } from "./clock.js";

/** It took longer than it may. */
export class LateError extends Error {}

/**
 * The promise's outcome, or a LateError after `limitMs`, whatever becomes of the promise then. An answer that came in time is taken even
 * where the process was too busy to look at it.
 */
export function within<T>(limitMs: number, clock: Clock, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => {
      // Timers run before the sockets are read, immediates after.
      setImmediate(() => reject(new LateError(`no answer within ${limitMs} ms`)));
    });
    void promise.then(resolve, reject).finally(cancel);
  });
}
