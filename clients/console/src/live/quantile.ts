/** The value that `share` of the values are no larger than; undefined of none. */
export function exactQuantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/**
 * The same of a histogram, as Prometheus has it: within a bucket values are taken as even, beyond the last bound as that bound.
 * `counts[i]`: values up to `bounds[i]`, those of the buckets before among them.
 */
export function histogramQuantile(
  bounds: readonly number[],
  counts: readonly number[],
  total: number,
  share: number,
): number | undefined {
  if (total <= 0) return undefined;
  const rank = share * total;
  const at = counts.findIndex((count) => count >= rank);
  if (at === -1) return bounds.at(-1);
  const [from = 0, below = 0] = at === 0 ? [] : [bounds[at - 1], counts[at - 1]];
  const [to = 0, upTo = 0] = [bounds[at], counts[at]];
  return upTo === below ? to : from + ((to - from) * (rank - below)) / (upTo - below);
}
