import type { Clock } from "../../server/core/clock.js";

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #nowMs = 0;
  /** By due time, then by order of arrival. */
  #timers: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { dueMs: this.#nowMs + ms, run };
    const place = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    this.#timers.splice(place < 0 ? this.#timers.length : place, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that have neither fired nor been called off. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on by `ms` and fires what falls due, in time order, each at its own time; also what those set anew. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers;
      if (next === undefined || next.dueMs > untilMs) break;
      this.#timers.shift();
      this.#nowMs = next.dueMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }
}
