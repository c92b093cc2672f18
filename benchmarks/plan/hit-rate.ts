/** Texts that are asked for with a chance that falls with their rank, as 1 / rank ** skew. */
export interface Zipf {
  readonly skew: number;
  readonly texts: number;
}

interface Rank {
  /** Ranks that it stands for. */
  readonly count: number;
  /** Of a request: that it is for one of them, for each of them. */
  readonly chance: number;
}

/** Ranks from here on are taken together, in steps of one in a thousand: so any number of texts is a few ten thousand terms at most. */
const SINGLE = 1000;
const STEP = 1.001;

function ranksOf({ skew, texts }: Zipf): readonly Rank[] {
  const ranks: { count: number; weight: number }[] = [];
  for (let first = 1; first <= texts; ) {
    const next = first < SINGLE ? first + 1 : Math.max(first + 1, Math.floor(first * STEP));
    const end = Math.min(next, texts + 1);
    ranks.push({ count: end - first, weight: ((first + end - 1) / 2) ** -skew });
    first = end;
  }
  const all = ranks.reduce((sum, { count, weight }) => sum + count * weight, 0);
  return ranks.map(({ count, weight }) => ({ count, chance: weight / all }));
}

const kept = (ranks: readonly Rank[], requests: number) =>
  ranks.reduce((sum, { count, chance }) => sum - count * Math.expm1(-chance * requests), 0);

const hits = (ranks: readonly Rank[], requests: number) =>
  ranks.reduce(
    (sum, { count, chance }) => sum - count * chance * Math.expm1(-chance * requests),
    0,
  );

const HALVINGS = 200;

/**
 * Of a cache with room for so many entries that lets go of what was used longest ago, by Che's approximation: an entry stays for a number of requests, the
 * one at which as many texts are kept as there is room for. The server's S3-FIFO does better by 1 to 8 points (docs/decisions.md, 22).
 */
export function hitRateOf(zipf: Zipf, entries: number): number {
  if (entries >= zipf.texts) return 1;
  const ranks = ranksOf(zipf);
  let [low, high] = [0, 1];
  for (let turn = 0; turn < HALVINGS && kept(ranks, high) < entries; turn++) high *= 2;
  for (let turn = 0; turn < HALVINGS; turn++) {
    const middle = (low + high) / 2;
    if (kept(ranks, middle) < entries) low = middle;
    else high = middle;
  }
  return hits(ranks, high);
}

/** Of a cache that keeps all for as long as so many requests take; and the texts that are in it. */
export function keptFor(zipf: Zipf, requests: number): { hitRate: number; entries: number } {
  const ranks = ranksOf(zipf);
  return { hitRate: hits(ranks, requests), entries: kept(ranks, requests) };
}
