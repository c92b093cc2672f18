import type { Clock } from "../core/clock.js";

/** Outcomes that are looked at. */
const WINDOW = 20;
const FEWEST = 5;
const WORST_SHARE = 0.5;
const USUAL_TIMES = 5;
const LEAST_LIMIT_MS = 1000;
/** A call that is given up earlier than that says nothing. */
const LEAST_LATE_MS = 250;
const MOST_LIMIT_MS = 30_000;
/** Weight of the newest time in the running mean. */
const NEWEST = 0.1;

/** When it began, so that its end can be told from those of calls before it. */
export interface Attempt {
  readonly startedMs: number;
}

/**
 * Whether something that is called over and over can be trusted with the next call. It opens at once when what it guards is gone, and
 * when a call went unanswered for long while nothing else came back either; else when half of the last calls did.
 * Only `close` closes it: whoever owns it tries by himself.
 */
export class Breaker {
  #open = false;
  #outcomes: boolean[] = [];
  #lastSuccessMs = Number.NEGATIVE_INFINITY;
  #closedMs = Number.NEGATIVE_INFINITY;
  #meanMs: number | undefined;
  /** It was opened by a call that went unanswered for long. */
  #wasLate = false;
  /** How often that was so, and it was closed, since anything came back: the limit may be what is wrong. */
  #timesLate = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** What a call may take, in milliseconds: several times what calls took lately, and twice that each time that none came back in it. */
  get limitMs(): number {
    const usualMs = Math.max(LEAST_LIMIT_MS, USUAL_TIMES * (this.#meanMs ?? 0));
    return Math.min(MOST_LIMIT_MS, usualMs * 2 ** this.#timesLate);
  }

  succeededWithin(ms: number): boolean {
    return this.#clock.now() - this.#lastSuccessMs <= ms;
  }

  begin(): Attempt {
    return { startedMs: this.#clock.now() };
  }

  succeeded({ startedMs }: Attempt): void {
    const tookMs = this.#clock.now() - startedMs;
    this.#meanMs =
      this.#meanMs === undefined ? tookMs : this.#meanMs + NEWEST * (tookMs - this.#meanMs);
    this.#lastSuccessMs = this.#clock.now();
    this.#timesLate = 0;
    this.#note(true);
  }

  /** It ended without an answer, at its limit or because its callers gave up: counts where it took far longer than usual. */
  unanswered({ startedMs }: Attempt): void {
    const usualMs = Math.max(LEAST_LATE_MS, USUAL_TIMES * (this.#meanMs ?? 0));
    if (this.#clock.now() - startedMs < Math.min(usualMs, this.limitMs)) return;
    // What was lost in the fault before says nothing of what has come back since.
    if (startedMs < this.#closedMs) return;
    if (this.#lastSuccessMs < startedMs) {
      this.#wasLate = true;
      this.open();
    }
    this.#note(false);
  }

  open(): void {
    this.#open = true;
  }

  close(): void {
    if (!this.#open) return;
    if (this.#wasLate) this.#timesLate++;
    this.#wasLate = false;
    this.#open = false;
    this.#outcomes = [];
    this.#closedMs = this.#clock.now();
  }

  #note(good: boolean): void {
    this.#outcomes = [...this.#outcomes.slice(1 - WINDOW), good];
    const bad = this.#outcomes.filter((outcome) => !outcome).length;
    if (this.#outcomes.length >= FEWEST && bad / this.#outcomes.length >= WORST_SHARE) this.open();
  }
}
