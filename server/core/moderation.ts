import type { Clock } from "./clock.js";

/** Shorter rests would take in each call by itself. */
export const LEAST_REST_MS = 1;
/** Longer ones would have calls that are answered from memory wait longer than those save. */
const MOST_REST_MS = 4;
/** What the event loop takes, after a rest, to see to it that no thread runs out of work. */
const ROUND_MS = 1;

const restFor = (aheadMs: number): number =>
  Math.max(LEAST_REST_MS, Math.min(MOST_REST_MS, aheadMs - ROUND_MS));

const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Nothing else is done meanwhile on this thread. */
const sleep = (ms: number): void => {
  Atomics.wait(cell, 0, 0, ms);
};

/**
 * For the event loop, what interrupt moderation is for a network card. Where threads that compute have all cores, each time that it wakes it puts one of them off its
 * core, and out of its caches, be it for a single call. While they go on without it nothing is in a hurry: it sleeps then, as long as they have something to do but a few
 * milliseconds at most, and takes in together what has come.
 */
export class Moderation {
  #isDue = false;
  readonly #aheadMs: () => number;
  readonly #clock: Clock;
  readonly #sleep: (ms: number) => void;

  /** `aheadMs`: for how long all threads have something to do. */
  constructor(aheadMs: () => number, clock: Clock, rest: (ms: number) => void = sleep) {
    this.#aheadMs = aheadMs;
    this.#clock = clock;
    this.#sleep = rest;
  }

  /** To be called whenever threads were given something: rests in each round of the event loop from then on, after what has come to it in that round, until they do not go on. */
  look(): void {
    if (this.#isDue || this.#aheadMs() < LEAST_REST_MS) return;
    this.#isDue = true;
    const since = this.#clock.now();
    setImmediate(() => {
      this.#isDue = false;
      const aheadMs = this.#aheadMs();
      if (aheadMs < LEAST_REST_MS) return;
      // What has come during a long round has waited already, and threads may have ended what they are believed to have.
      const wasLong = this.#clock.now() - since >= LEAST_REST_MS;
      if (!wasLong) this.#sleep(restFor(aheadMs));
      this.look();
    });
  }
}
