/** Texts of that share of the traffic cost so much CPU. */
export interface Piece {
  readonly share: number;
  readonly ms: number;
}

/** What a text costs, as it varies. */
export interface Work {
  readonly meanMs: number;
  readonly variance: number;
  /** What 95 % of the texts cost at most. */
  readonly p95Ms: number;
}

/** Shares need not add up to 1. */
export function workOf(pieces: readonly Piece[]): Work {
  const all = pieces.reduce((sum, { share }) => sum + share, 0);
  const mean = (value: (piece: Piece) => number) =>
    all === 0 ? 0 : pieces.reduce((sum, piece) => sum + piece.share * value(piece), 0) / all;
  const meanMs = mean(({ ms }) => ms);
  const variance = mean(({ ms }) => (ms - meanMs) ** 2);
  return { meanMs, variance, p95Ms: quantileOf(pieces, 0.95 * all) };
}

function quantileOf(pieces: readonly Piece[], upTo: number): number {
  let sum = 0;
  const sorted = pieces.toSorted((one, other) => one.ms - other.ms);
  for (const { share, ms } of sorted) {
    sum += share;
    // Shares that add up to 0.95 with a rounding error do so.
    if (sum >= upTo - 1e-9) return ms;
  }
  return 0;
}

export interface Length {
  readonly share: number;
  readonly tokens: number;
}

/** The middles of twenty parts of equal weight of the standard normal distribution, upper half. */
const NORMAL = [0.063, 0.189, 0.319, 0.454, 0.598, 0.755, 0.935, 1.15, 1.44, 1.96];

/** Twenty lengths that stand for lognormal ones of that mean. */
export function lengthsAround(meanTokens: number, share: number, sigma: number): Length[] {
  const raw = NORMAL.flatMap((z) => [Math.exp(sigma * z), Math.exp(-sigma * z)]);
  const mean = raw.reduce((sum, value) => sum + value, 0) / raw.length;
  return raw.map((value) => ({
    share: share / raw.length,
    tokens: (meanTokens * value) / mean,
  }));
}
