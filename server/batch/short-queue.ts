/**
 * How long a queue that is kept short is, in milliseconds, for calls that may wait so long: enough that the backend never wants for rows. A longer one answers no
 * more under overload, only later, and what waits for long costs more: V8 collects it from its old generation. Who has much time is a list or a bulk job: a longer one
 * refuses it less often, and equal texts are answered together as long as they wait.
 */
export const shortMsFor = (hasMs: number): number => Math.max(150, 0.15 * hasMs);

/** For how long it is kept short the first time, and at most: twice as long each time that it was too long again soon after it was let grow. */
const FIRST_MS = 5000;
const MOST_MS = 20_000;
/** After so long without a refusal no more is asked than can be answered. Longer than those are told to wait who are turned away. */
const CALM_MS = 3000;
/** It is kept short for who may wait up to so many times as long as those who were refused. */
const ALIKE = 2;

/**
 * Keeps a holder's queue short while he asks for more than can be answered, which shows by calls that are too late, and would not be behind a short queue. Callers who
 * send more only when they have answers fill a queue so far and no further; so that they are not refused for good, it is let grow again and again, to see.
 *
 * It stays as it is for who may wait for much longer than those who were too late: a list that has minutes is not refused for calls that have half a second.
 */
export class ShortQueue {
  #untilMs = 0;
  #forMs = 0;
  #refusedMs = 0;
  /** The most that one who was too late might have waited, and would have waited for others' rows in the queue. */
  #late = { hasMs: 0, queuedMs: 0 };

  /** How long a call that may wait for `hasMs` in all may do so for others' rows in the queue. */
  mayQueueMs(hasMs: number, nowMs: number): number {
    const isShort = this.#isOn(nowMs) && hasMs <= ALIKE * this.#late.hasMs;
    return isShort ? Math.min(hasMs, shortMsFor(this.#late.hasMs)) : hasMs;
  }

  /** A call is refused that may wait for `hasMs` and would have waited for `queuedMs` for others' rows in the queue; behind a short one it would not be late. */
  tooLate(hasMs: number, queuedMs: number, nowMs: number): void {
    if (!this.#isOn(nowMs)) this.#begin(nowMs);
    this.#refusedMs = nowMs;
    const { hasMs: most, queuedMs: longest } = this.#late;
    this.#late = { hasMs: Math.max(most, hasMs), queuedMs: Math.max(longest, queuedMs) };
  }

  /** A call is refused because the queue is kept short. */
  turnedAway(nowMs: number): void {
    this.#refusedMs = nowMs;
  }

  /** How long a queue of `waitMs` would be if it were not kept short. */
  unboundMs(waitMs: number, nowMs: number): number {
    // Shorter than short it is because less is asked.
    const isBound = this.#isOn(nowMs) && waitMs >= shortMsFor(this.#late.hasMs);
    return isBound ? Math.max(waitMs, this.#late.queuedMs) : waitMs;
  }

  /** Nothing depends on it any more. */
  isOver(nowMs: number): boolean {
    return !this.#isOn(nowMs) && !this.#isSoonAfter(nowMs);
  }

  #isOn(nowMs: number): boolean {
    return nowMs < this.#untilMs && nowMs < this.#refusedMs + CALM_MS;
  }

  /** It was let grow of late although calls were refused: to see. */
  #isSoonAfter(nowMs: number): boolean {
    return this.#refusedMs + CALM_MS > this.#untilMs && nowMs < this.#untilMs + this.#forMs;
  }

  #begin(nowMs: number): void {
    this.#forMs = this.#isSoonAfter(nowMs) ? Math.min(MOST_MS, 2 * this.#forMs) : FIRST_MS;
    this.#untilMs = nowMs + this.#forMs;
    this.#late = { hasMs: 0, queuedMs: 0 };
  }
}
