import { AskError } from "./errors.ts";

/** With nobody answered for so long, a call that fails is given up. */
const GIVE_UP_MS = 120_000;
const FIRST_WAIT_MS = 200;
const MOST_WAIT_MS = 5_000;
/** So that calls that were refused together do not come back together. */
const JITTER = 0.2;

export interface PaceOptions {
  readonly nowMs: () => number;
  /** Rejects when `signal` is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Told how long all calls wait now, and why; and, with 0, that they go on. */
  readonly onWait: (ms: number, why: string) => void;
}

/** Asks again what may be asked again: when one call is told to wait, so do the others that have not begun. */
export class Pace {
  readonly #options: PaceOptions;
  #notBeforeMs = 0;
  #answeredMs: number;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#answeredMs = options.nowMs();
  }

  /** What `call` resolves to in the end; rejects with an error that is not worth another try. */
  async ask<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 0; ; tries++) {
      await this.#turn(signal);
      try {
        const answer = await call();
        this.#answeredMs = this.#options.nowMs();
        return answer;
      } catch (error) {
        this.#postpone(error, tries);
      }
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { nowMs, sleep, onWait } = this.#options;
    for (let waits = 0; ; waits++) {
      signal.throwIfAborted();
      const leftMs = this.#notBeforeMs - nowMs();
      if (leftMs > 0) {
        await sleep(leftMs, signal);
        continue;
      }
      if (waits > 0) onWait(0, "");
      return;
    }
  }

  #postpone(error: unknown, tries: number): void {
    if (!(error instanceof AskError && error.isRetryable)) throw error;
    const { nowMs, random, onWait } = this.#options;
    const backoffMs = Math.min(FIRST_WAIT_MS * 2 ** tries, MOST_WAIT_MS);
    const waitMs = (error.retryAfterMs ?? backoffMs) * (1 + JITTER * random());
    if (nowMs() - this.#answeredMs > Math.max(GIVE_UP_MS, 2 * waitMs)) throw error;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs() + waitMs);
    onWait(this.#notBeforeMs - nowMs(), error.message);
  }
}

/** Resolves after `ms`; rejects with the reason of `signal`. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
