import { Disposer } from "../core/disposer.js";

/**
 * How the backend is shared: evenly by the holders of keys, and each one's part evenly by his calls. A row is due when it would be done if all had their parts;
 * that is counted not in the time of day but in tokens of an even part, and only as fast as they are served (weighted fair queueing). So who comes anew is due
 * before most of what others have waiting, however late that is.
 */
export class Sharing {
  /** Calls under way, by holder. */
  readonly #calls = new Map<string, number>();
  #now = 0;

  /** A call of this holder is under way from now on, until it is disposed of. */
  enter(holder: string): Disposable {
    this.#calls.set(holder, (this.#calls.get(holder) ?? 0) + 1);
    return new Disposer(() => {
      const left = (this.#calls.get(holder) ?? 1) - 1;
      if (left > 0) this.#calls.set(holder, left);
      else this.#calls.delete(holder);
    });
  }

  /** Holders that have calls under way; at least 1. */
  get holders(): number {
    return Math.max(1, this.#calls.size);
  }

  /** A batch of so many tokens is taken up: the row of it that was first in turn is due at `due`, the first that still waits, if one does, at `nextDue`. */
  served(tokens: number, due: number, nextDue = Number.POSITIVE_INFINITY): void {
    // Never past a row that waits, or whoever came next would be due after rows that are late.
    const now = Math.min(this.#now + tokens / this.holders, nextDue);
    this.#now = Math.max(this.#now, due, now);
  }

  /** When a holder's calls are done that have so many tokens in all. */
  dueAfter(tokens: number): number {
    return this.#now + tokens;
  }

  /** When a call of this holder is done with rows of so many tokens in all. */
  due(holder: string, tokens: number): number {
    return this.dueAfter(tokens * (this.#calls.get(holder) ?? 1));
  }
}
