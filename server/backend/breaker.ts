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
/** While nothing of a model has come back; the accurate model's take up to five where a CPU is slow. */
const FIRST_MS_PER_TOKEN = 1;
/** Weight of the newest time in the running mean. */
const NEWEST = 0.1;

/** What a call asks for. */
export interface Work {
  readonly model: string;
  /** Its own and those of the model's calls that are under way, with padding: what has to be done until it is. */
  readonly tokens: number;
}

/** A call: when it began, so that its end can be told from those of calls before it. */
export interface Attempt {
  readonly startedMs: number;
  readonly work: Work;
}

/** Of the calls of a model that came back. */
interface Mean {
  readonly ms: number;
  readonly tokens: number;
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
  /** By model: a token costs one ten times what it costs another. */
  readonly #means = new Map<string, Mean>();
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

  /**
   * What a call may take, in milliseconds: several times what calls of the model took lately, in proportion to its tokens where they are more than
   * theirs, and twice that each time that none came back in it.
   */
  limitMs(work: Work): number {
    const usualMs = Math.max(LEAST_LIMIT_MS, USUAL_TIMES * this.#usualMs(work));
    return Math.min(MOST_LIMIT_MS, usualMs * 2 ** this.#timesLate);
  }

  succeededWithin(ms: number): boolean {
    return this.#clock.now() - this.#lastSuccessMs <= ms;
  }

  begin(work: Work): Attempt {
    return { startedMs: this.#clock.now(), work };
  }

  succeeded({ startedMs, work: { model, tokens } }: Attempt): void {
    const ms = this.#clock.now() - startedMs;
    const mean = this.#means.get(model) ?? { ms, tokens };
    this.#means.set(model, {
      ms: mean.ms + NEWEST * (ms - mean.ms),
      tokens: mean.tokens + NEWEST * (tokens - mean.tokens),
    });
    this.#lastSuccessMs = this.#clock.now();
    this.#timesLate = 0;
    this.#note(true);
  }

  /** It ended without an answer, at its limit or because its callers gave up: counts where it took far longer than usual. */
  unanswered({ startedMs, work }: Attempt): void {
    const usualMs = Math.max(LEAST_LATE_MS, USUAL_TIMES * this.#usualMs(work));
    if (this.#clock.now() - startedMs < Math.min(usualMs, this.limitMs(work))) return;
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

  /** Of a model that is not asked any more. */
  forget(model: string): void {
    this.#means.delete(model);
  }

  /** One of fewer tokens than usual may take as long: a call costs something by itself. */
  #usualMs({ model, tokens }: Work): number {
    const mean = this.#means.get(model);
    if (mean === undefined) return FIRST_MS_PER_TOKEN * tokens;
    return mean.ms * Math.max(1, tokens / mean.tokens);
  }

  #note(good: boolean): void {
    this.#outcomes = [...this.#outcomes.slice(1 - WINDOW), good];
    const bad = this.#outcomes.filter((outcome) => !outcome).length;
    if (this.#outcomes.length >= FEWEST && bad / this.#outcomes.length >= WORST_SHARE) this.open();
  }
}
