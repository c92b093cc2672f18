const MOST = 15;
const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const;

/** A count-min sketch of four rows in one table, with conservative update: how often a key was asked for lately, 15 at most. */
export class Frequencies {
  readonly #counts: Uint8Array;
  readonly #period: number;
  #added = 0;

  /** @param capacity keys of the cache; all counts are halved after ten times as many requests */
  constructor(capacity: number) {
    this.#counts = new Uint8Array(4 * 2 ** Math.ceil(Math.log2(capacity)));
    this.#period = 10 * capacity;
  }

  add(key: number): void {
    const count = this.of(key);
    for (const multiplier of count < MOST ? MULTIPLIERS : []) {
      const place = this.#place(key, multiplier);
      if (this.#counts[place] === count) this.#counts[place] = count + 1;
    }
    this.#added++;
    if (this.#added < this.#period) return;
    this.#added >>= 1;
    for (let place = 0; place < this.#counts.length; place++)
      this.#counts[place] = (this.#counts[place] ?? 0) >> 1;
  }

  of(key: number): number {
    let least = MOST;
    for (const multiplier of MULTIPLIERS)
      least = Math.min(least, this.#counts[this.#place(key, multiplier)] ?? 0);
    return least;
  }

  #place(key: number, multiplier: number): number {
    let mixed = Math.imul(key + 1, multiplier);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    return (mixed ^ (mixed >>> 12)) & (this.#counts.length - 1);
  }
}
