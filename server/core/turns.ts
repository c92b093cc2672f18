import type { Clock } from "./clock.js";

/** Work that holds the event loop longer than that lets all other calls of the process wait. */
const TURN_MS = 10;

/**
 * To be awaited between the steps of long work: lets other work have its turn where this one has held the event loop for
 * TURN_MS. Throws the signal's reason once the caller has left.
 */
export function turns(signal: AbortSignal, clock: Clock): () => Promise<void> | undefined {
  let sinceMs = clock.now();
  return () => {
    if (clock.now() - sinceMs <= TURN_MS) return undefined;
    return new Promise<void>((next) => setImmediate(next)).then(() => {
      signal.throwIfAborted();
      sinceMs = clock.now();
    });
  };
}
