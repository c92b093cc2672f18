import { addTo, HELD_UP } from "../core/sums.js";

/** One batch that was run. */
export interface RunSize {
  /** Of all its rows, without padding. */
  readonly tokens: number;
  /** What it is to the model, in tokens that are read: with its padding, by what that costs. */
  readonly work: number;
}

/** A batch that is put together. */
export interface BatchSize extends RunSize {
  /** Tokens of its longest row, to which the others are padded; at least 1. */
  readonly longest: number;
}

/** `paddedTokens`: the longest row times the rows; `paddingCost`: what a padded token costs of one that is read, 0 to 1. */
export const workOf = (tokens: number, paddedTokens: number, paddingCost: number): number =>
  tokens + paddingCost * (paddedTokens - tokens);

/** Of rows of those lengths. */
export function sizeOf(lengths: readonly number[], paddingCost: number): BatchSize {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const longest = Math.max(1, ...lengths);
  return { tokens, longest, work: workOf(tokens, longest * lengths.length, paddingCost) };
}

/** Batches that must have been seen: a first one allocates, and says little. */
const ENOUGH = 4;
/** Passing a batch on and its answers back costs something, however the measurements scatter. */
const LEAST_FIXED = 2;

/** Of batches, older ones weighing less. */
interface Sums {
  readonly n: number;
  readonly tokens: number;
  readonly ms: number;
}

/**
 * Milliseconds to count of the `ms` that a batch of so many tokens took. One that was held up says little of what the next ones take, and would have calls refused that
 * have all the time they need; where batches are slower for good, each raises what is usual. What is usual goes by the tokens, or by all that a batch took so far where
 * it has fewer. `msPerToken`: of those before it; 0: not known.
 */
function countedMs(ms: number, tokens: number, { n, tokens: all }: Sums, msPerToken: number) {
  const usualMs = msPerToken * Math.max(tokens, n === 0 ? 0 : all / n);
  return usualMs === 0 ? ms : Math.min(ms, HELD_UP * usualMs);
}

/**
 * What a model's batches cost: time = fixed + slope x work, by least squares over the batches of late. It learns whatever the
 * machine, the model and its neighbours make of it. What is squared is the error a token: a batch that takes twice as long errs by twice as much.
 */
export class CostModel {
  /** Sums over the batches, older ones weighing less: number, tokens, milliseconds; u = 1 / work, v = milliseconds a token of that. */
  readonly #sums = { n: 0, tokens: 0, ms: 0, u: 0, v: 0, uu: 0, uv: 0 };
  #seen = 0;

  observe({ tokens, work }: RunSize, ranMs: number): void {
    const sums = this.#sums;
    const ms = countedMs(ranMs, tokens, sums, this.msPerToken ?? 0);
    const [u, v] = [1 / work, ms / work];
    addTo(sums, { n: 1, tokens, ms, u, v, uu: u * u, uv: u * v });
    this.#seen++;
  }

  /** Milliseconds that a token of a text has cost, padding and fixed parts included; undefined while too little was seen. */
  get msPerToken(): number | undefined {
    return this.#seen < ENOUGH ? undefined : this.#sums.ms / this.#sums.tokens;
  }

  /** What a batch costs before its first token, in tokens; undefined while it is not known. */
  get fixedTokens(): number | undefined {
    const { n, u, v, uu, uv } = this.#sums;
    const spread = n * uu - u * u;
    // Batches of one size tell nothing of the fixed part.
    if (this.#seen < ENOUGH || spread < 1e-3 * n * uu) return undefined;
    // v = slope + fixed x u.
    const fixed = (n * uv - u * v) / spread;
    const slope = (v - fixed * u) / n;
    return slope > 0 ? Math.max(LEAST_FIXED, fixed / slope) : undefined;
  }
}

/** How fast tokens are done while rows wait: with all that the machine does besides. */
export class DrainRate {
  readonly #sums = { n: 0, tokens: 0, ms: 0 };
  /** When the last batch was done, if rows have waited ever since. */
  #sinceMs: number | undefined;

  /** A batch is done. `isBusy`: rows wait still; `modelMsPerToken`: what the model takes for a token, as far as it is known. */
  done(tokens: number, nowMs: number, isBusy: boolean, modelMsPerToken: number | undefined): void {
    // Before anything is usual a batch that was held up would count whole, and where nobody may wait any more for that, nothing would correct it.
    if (this.#sinceMs !== undefined && modelMsPerToken !== undefined) {
      const msPerToken = Math.max(this.msPerToken ?? 0, modelMsPerToken);
      const ms = countedMs(nowMs - this.#sinceMs, tokens, this.#sums, msPerToken);
      addTo(this.#sums, { n: 1, tokens, ms });
    }
    this.#sinceMs = isBusy ? nowMs : undefined;
  }

  /** Undefined while it is not known. */
  get msPerToken(): number | undefined {
    return this.#sums.tokens === 0 ? undefined : this.#sums.ms / this.#sums.tokens;
  }
}
