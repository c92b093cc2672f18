/** One batch that was run. */
export interface RunSize {
  /** Of all its rows, without padding. */
  readonly tokens: number;
  /** Its longest row times its rows. */
  readonly paddedTokens: number;
}

/** A batch counts half as much after 34 later ones. */
const MEMORY = 0.98;
/** Batches that must have been seen: a first one allocates, and says little. */
const ENOUGH = 4;
/** Passing a batch on and its answers back costs something, however the measurements scatter. */
const LEAST_FIXED = 2;

/**
 * What a model's batches cost: time = fixed + slope x padded tokens, by least squares over the batches of late. It learns whatever the
 * machine, the model and its neighbours make of it.
 */
export class CostModel {
  /** Sums over the batches, older ones weighing less: their number, tokens, padded tokens (x), milliseconds (y), and products. */
  readonly #sums = { n: 0, tokens: 0, x: 0, y: 0, xx: 0, xy: 0 };
  #seen = 0;

  observe({ tokens, paddedTokens: x }: RunSize, ms: number): void {
    const sums = this.#sums;
    const added = { n: 1, tokens, x, y: ms, xx: x * x, xy: x * ms };
    for (const name of Object.keys(added) as (keyof typeof added)[])
      sums[name] = sums[name] * MEMORY + added[name];
    this.#seen++;
  }

  /** Milliseconds that a token of a text has cost, padding and fixed parts included; undefined while too little was seen. */
  get msPerToken(): number | undefined {
    return this.#seen < ENOUGH ? undefined : this.#sums.y / this.#sums.tokens;
  }

  /** What a batch costs before its first token, in padded tokens; undefined while it is not known. */
  get fixedTokens(): number | undefined {
    const { n, x, y, xx, xy } = this.#sums;
    const spread = n * xx - x * x;
    // Batches of one size tell nothing of the fixed part.
    if (this.#seen < ENOUGH || spread < 1e-3 * n * xx) return undefined;
    const slope = (n * xy - x * y) / spread;
    const fixed = (y - slope * x) / n;
    if (slope <= 0) return undefined;
    return Math.max(LEAST_FIXED, fixed / slope);
  }
}
