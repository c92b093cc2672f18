import type { Queue, Queued } from "../../server/cache/queue.js";

/** A key in a simulated cache. */
export interface Held extends Queued<Held> {
  readonly key: number;
  visited: boolean;
  /** The one that it waits in, where there are several. */
  queue: Queue<Held> | undefined;
}

export function held(key: number): Held {
  return { key, bytes: 1, visited: false, queue: undefined, older: undefined, newer: undefined };
}
