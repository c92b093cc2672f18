import type { Clock } from "./clock.js";

/** Longer rests let more come together, but refusals and answers from memory wait for their end (docs/decisions.md 83). */
export const REST_MS = 2;

const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Nothing else is done meanwhile on this thread. */
const sleep = (ms: number): void => {
  Atomics.wait(cell, 0, 0, ms);
};

/**
 * For the event loop, what interrupt moderation is for a network card. Where threads that compute have all cores, each time that it wakes it puts one of them off its
 * core, and out of its caches, be it for a single call. While they go on without it nothing is in a hurry: it sleeps then, REST_MS at a time, and takes in together
 * what has come.
 */
export class Moderation {
  #isDue = false;
  readonly #goOn: () => boolean;
  readonly #clock: Clock;
  readonly #sleep: (ms: number) => void;

  /** `goOn`: whether all threads have something to do for the next REST_MS. */
  constructor(goOn: () => boolean, clock: Clock, rest: (ms: number) => void = sleep) {
    this.#goOn = goOn;
    this.#clock = clock;
    this.#sleep = rest;
  }

  /** To be called whenever threads were given something: rests in each round of the event loop from then on, after what has come to it in that round, until they do not go on. */
  look(): void {
    if (this.#isDue || !this.#goOn()) return;
    this.#isDue = true;
    const since = this.#clock.now();
    setImmediate(() => {
      this.#isDue = false;
      if (!this.#goOn()) return;
      // What has come during a long round has waited already, and threads may have ended what they are believed to have.
      const wasLong = this.#clock.now() - since >= REST_MS;
      if (!wasLong) this.#sleep(REST_MS);
      this.look();
    });
  }
}
