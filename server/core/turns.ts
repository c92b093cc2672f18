import type { Signal } from "./abort.js";
import type { Clock } from "./clock.js";

/** Work that holds the event loop longer than that lets all other calls of the process wait. */
const TURN_MS = 10;

/** Who waits for the next turn, of all of the process. */
const waiting: (() => void)[] = [];

/** One for each round of the event loop: Node runs all immediates of a round before anything else, and many calls' turns together would last as long as all of them. */
function resumeOne(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(resumeOne);
}

const nextTurn = () =>
  new Promise<void>((resume) => {
    if (waiting.push(resume) === 1) setImmediate(resumeOne);
  });

/**
 * To be awaited between the steps of long work: lets other work have its turn where this one has held the event loop for
 * TURN_MS. Throws the signal's reason once the caller has left.
 */
export function turns(signal: Signal, clock: Clock): () => Promise<void> | undefined {
  let sinceMs = clock.now();
  return () => {
    if (clock.now() - sinceMs <= TURN_MS) return undefined;
    return nextTurn().then(() => {
      signal.throwIfAborted();
      sinceMs = clock.now();
    });
  };
}
