/** How the backend is shared: evenly by the holders of keys, and each one's part evenly by his calls. */
export class Sharing {
  /** Calls under way, by holder. */
  readonly #calls = new Map<string, number>();

  /** A call of this holder is under way from now on, until it is disposed of. */
  enter(holder: string): Disposable {
    this.#calls.set(holder, (this.#calls.get(holder) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#calls.get(holder) ?? 1) - 1;
        if (left > 0) this.#calls.set(holder, left);
        else this.#calls.delete(holder);
      },
    };
  }

  /** Holders that have calls under way; at least 1. */
  get holders(): number {
    return Math.max(1, this.#calls.size);
  }

  /** Among how many even parts the backend is shared of which one call of the holder has one; at least 1. */
  parts(holder: string): number {
    return Math.max(1, this.#calls.size * (this.#calls.get(holder) ?? 1));
  }
}

/** When each row of a call is due, on an even part of the backend where a token takes so long: its shorter rows before its longer ones. */
export function duesOf(
  rows: readonly (readonly number[])[],
  sinceMs: number,
  msPerToken: number,
): ReadonlyMap<readonly number[], number> {
  const dues = new Map<readonly number[], number>();
  let tokens = 0;
  for (const ids of [...rows].sort((one, other) => one.length - other.length)) {
    tokens += ids.length;
    dues.set(ids, sinceMs + tokens * msPerToken);
  }
  return dues;
}
