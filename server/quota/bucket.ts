const MINUTE_MS = 60_000;

/**
 * A token bucket that holds a minute's worth at most. What is taken beyond what it holds is a debt, which is paid back at the same rate. It is told the time,
 * in milliseconds: a clock that goes back refills nothing, and one that leaps ahead no more than the whole.
 */
export class Bucket {
  #level: number;
  #atMs: number;
  #tokensPerMinute: number;

  /** Full. */
  constructor(tokensPerMinute: number, nowMs: number) {
    this.#level = tokensPerMinute;
    this.#tokensPerMinute = tokensPerMinute;
    this.#atMs = nowMs;
  }

  /** What flows in, and what it holds at most. */
  get tokensPerMinute(): number {
    return this.#tokensPerMinute;
  }

  /** What it holds now; below 0: a debt. */
  level(nowMs: number): number {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    const refilled = this.#level + (passedMs * this.#tokensPerMinute) / MINUTE_MS;
    this.#level = Math.min(this.#tokensPerMinute, refilled);
    this.#atMs = nowMs;
    return this.#level;
  }

  take(tokens: number, nowMs: number): void {
    this.#level = this.level(nowMs) - tokens;
  }

  /** It holds that at most. */
  lowerTo(level: number, nowMs: number): void {
    this.#level = Math.min(this.level(nowMs), level);
  }

  /** Milliseconds until it holds so many; 0: it does. */
  msUntil(tokens: number, nowMs: number): number {
    return Math.max(0, ((tokens - this.level(nowMs)) * MINUTE_MS) / this.#tokensPerMinute);
  }

  /** From now on so many flow in; what it holds stays, as far as there is room for it. */
  setRate(tokensPerMinute: number, nowMs: number): void {
    this.level(nowMs);
    this.#tokensPerMinute = tokensPerMinute;
  }
}
