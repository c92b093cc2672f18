import { eitherOf, orAbort, pause, type Signal } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { resultOf } from "../core/settled.js";

/** What became of texts: the model was run, a cache had the answer, there is none. */
export interface Warmed {
  warmed: number;
  present: number;
  failed: number;
}

/**
 * Analyzes one text, so that the caches have it. "later": it could not be now, and is asked again. Rejects with what ends
 * the whole warming.
 */
export type WarmText = (text: string, signal: AbortSignal) => Promise<keyof Warmed | "later">;

/** Of one step, which a call that comes meanwhile may have to wait for. */
const STEP_TEXTS = 8;
/** The same, in UTF-16 code units; a longer text is a step by itself. */
const STEP_LENGTH = 2000;
/** From one look for a gap between calls to the next. */
const LOOK_MS = 20;
/** Calls without a gap for so long: one text is taken all the same. */
const PATIENCE_MS = 1000;
/** Until texts that could not be analyzed are asked again. */
const LATER_MS = 1000;

export const nothingWarmed = (): Warmed => ({ warmed: 0, present: 0, failed: 0 });

export const countOf = ({ warmed, present, failed }: Warmed): number => warmed + present + failed;

/**
 * Fills the caches ahead of calls, and gives way to them: a few texts in a gap between calls, or one a second where there is none. Steps
 * of several warmings go one after the other, in turn. Closing it ends them with DRAINING.
 */
export class Warming implements Disposable {
  readonly #isBusy: () => boolean;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  /** Resolves when no step is under way or waits that was there before. */
  #last: Promise<void> = Promise.resolve();

  /** @param isBusy whether a call is under way */
  constructor(isBusy: () => boolean, clock: Clock) {
    this.#isBusy = isBusy;
    this.#clock = clock;
  }

  /**
   * Warms the texts, equal ones once: the others are then present, or failed like it. `tally` is counted up as it goes. Rejects with the
   * signal's reason, and with what `warm` rejects with; what is warmed by then stays.
   */
  async run(
    texts: readonly string[],
    warm: WarmText,
    signal: Signal,
    tally: Warmed,
  ): Promise<void> {
    using leaving = eitherOf(signal, this.#closed.signal);
    const either = leaving.signal;
    const copies = new Map<string, number>();
    for (const text of texts) copies.set(text, (copies.get(text) ?? 0) + 1);
    while (copies.size > 0) {
      const { asked, later } = await this.#inTurn(either, () =>
        this.#step(copies, warm, either, tally),
      );
      if (later === asked) await pause(LATER_MS, this.#clock, either);
    }
  }

  [Symbol.dispose](): void {
    const message = "The server is shutting down: the texts warmed so far stay as long as it does.";
    this.#closed.abort(new ServiceError("DRAINING", message, { retryAfterMs: 1000 }));
  }

  /** Takes texts off `copies`, less those that are to be asked later. */
  async #step(
    copies: Map<string, number>,
    warm: WarmText,
    signal: AbortSignal,
    tally: Warmed,
  ): Promise<{ readonly asked: number; readonly later: number }> {
    const texts = stepOf(copies.keys(), await this.#room(signal));
    let later = 0;
    const ended = texts.map(async (text) => {
      const outcome = await warm(text, signal);
      if (outcome === "later") {
        later++;
        return;
      }
      const others = (copies.get(text) ?? 1) - 1;
      copies.delete(text);
      tally[outcome]++;
      tally[outcome === "failed" ? "failed" : "present"] += others;
    });
    // All of them, whatever becomes of one.
    (await Promise.allSettled(ended)).forEach(resultOf);
    return { asked: texts.length, later };
  }

  /** How many texts the next step may have. */
  async #room(signal: AbortSignal): Promise<number> {
    const untilMs = this.#clock.now() + PATIENCE_MS;
    while (this.#isBusy()) {
      if (this.#clock.now() >= untilMs) return 1;
      await pause(LOOK_MS, this.#clock, signal);
    }
    return STEP_TEXTS;
  }

  async #inTurn<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await orAbort(before, signal, () => {});
      // Also where all of it is in the caches, calls that have come meanwhile get their turn.
      await new Promise<void>((next) => setImmediate(next));
      signal.throwIfAborted();
      return await step();
    } finally {
      // Who leaves the row must not let the next one overtake those before it.
      void before.then(resolve);
    }
  }
}

/** The first texts, `most` of them at most, and no more than STEP_LENGTH together. */
function stepOf(texts: Iterable<string>, most: number): readonly string[] {
  const step: string[] = [];
  let length = 0;
  for (const text of texts) {
    length += text.length;
    if (step.length === most || (step.length > 0 && length > STEP_LENGTH)) break;
    step.push(text);
  }
  return step;
}
