import type { Clock } from "../core/clock.js";

const SLICE_MS = 60_000;
const SLICES = 5;

interface Slice {
  readonly number: number;
  looked: number;
  found: number;
}

/** Share of lookups that found something, over the last five minutes. */
export class HitRate {
  #slices: Slice[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** So many texts were looked for. */
  looked(count: number): void {
    this.#slice().looked += count;
  }

  /** So many of them were found. */
  found(count: number): void {
    this.#slice().found += count;
  }

  /** Lookups of the time that `share` is about. */
  get lookups(): number {
    return this.#recent().reduce((sum, { looked }) => sum + looked, 0);
  }

  /** 0 to 1; undefined while nothing was looked for. */
  get share(): number | undefined {
    const { lookups } = this;
    if (lookups === 0) return undefined;
    return this.#recent().reduce((sum, { found }) => sum + found, 0) / lookups;
  }

  #slice(): Slice {
    const number = Math.floor(this.#clock.now() / SLICE_MS);
    const last = this.#slices.at(-1);
    if (last?.number === number) return last;
    const slice = { number, looked: 0, found: 0 };
    this.#slices = [...this.#recent(), slice];
    return slice;
  }

  #recent(): Slice[] {
    const oldest = Math.floor(this.#clock.now() / SLICE_MS) - SLICES;
    return this.#slices.filter(({ number }) => number > oldest);
  }
}
