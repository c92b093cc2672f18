import { orAbort, type Signal } from "../core/abort.js";
import type { Clock } from "../core/clock.js";

/** Debts of months would be more than a timer counts. */
const MOST_MS = 60_000;

/** What a text waits for. */
interface Waiting {
  readonly tokens: number;
  readonly goOn: () => void;
}

/** Milliseconds until so many may be kept beside `others`; 0: now. */
type MsUntil = (tokens: number, nowMs: number, others: number) => number;

/**
 * Those who wait until there is enough of one quota. Those for whom there is go on, in the order in which they came, and no others: of thousands of streams that all
 * woke up, each to find that another had been first, the event loop did nothing else.
 */
export class WaitingLine {
  readonly #waiting = new Set<Waiting>();
  /** What nobody needs less than. */
  #least = Number.POSITIVE_INFINITY;
  #cancelLook = () => {};
  readonly #msUntil: MsUntil;
  readonly #clock: Clock;

  constructor(msUntil: MsUntil, clock: Clock) {
    this.#msUntil = msUntil;
    this.#clock = clock;
  }

  /** Resolves when there may be so many, or at `untilMs`. Rejects with the signal's reason as soon as it fires. */
  async wait(tokens: number, untilMs: number, signal: Signal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const one = { tokens, goOn: resolve };
    this.#waiting.add(one);
    if (tokens < this.#least) this.#lookFor(tokens);
    const cancel = this.#clock.after(untilMs - this.#clock.now(), resolve);
    try {
      await orAbort(promise, signal, () => {});
    } finally {
      cancel();
      this.#waiting.delete(one);
      if (this.#waiting.size === 0) this.#lookFor(Number.POSITIVE_INFINITY);
    }
  }

  /** There may be more now. */
  look(): void {
    const nowMs = this.#clock.now();
    const isEnough = this.#msUntil(this.#least, nowMs, 0) <= 0;
    this.#lookFor(isEnough ? this.#letGoOn(nowMs) : this.#least);
  }

  /** Returns what nobody needs less than of those who wait still. */
  #letGoOn(nowMs: number): number {
    let others = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const one of this.#waiting) {
      if (this.#msUntil(one.tokens, nowMs, others) > 0) least = Math.min(least, one.tokens);
      else {
        others += one.tokens;
        this.#waiting.delete(one);
        one.goOn();
        // Nor for those who come after: the look that comes next finds out what they need.
        if (this.#msUntil(this.#least, nowMs, others) > 0) return this.#least;
      }
    }
    return least;
  }

  #lookFor(tokens: number): void {
    this.#least = tokens;
    this.#cancelLook();
    this.#cancelLook = () => {};
    if (tokens === Number.POSITIVE_INFINITY) return;
    // Timers count whole milliseconds. Never at once: those who go on now have not kept anything yet.
    const ms = Math.ceil(this.#msUntil(tokens, this.#clock.now(), 0));
    this.#cancelLook = this.#clock.after(Math.min(Math.max(1, ms), MOST_MS), () => this.look());
  }
}
