import { seeded } from "../texts.js";

/** Keys that are asked for more than once; what is scanned has the numbers from here up. */
export const KEYS = 100_000;
const REQUESTS = 1_000_000;
/** One-time keys of a scan. It begins after half of the requests. */
export const SCANNED = 50_000;
export const SCAN_BEGINS = REQUESTS / 2;

export interface TrafficKind {
  /** Zipf's: the key of rank r is asked for with a chance of 1 / r ** skew. */
  readonly skew: number;
  /** The scan's keys in one go, or one after each of the requests from then on. */
  readonly scan?: "burst" | "mixed";
  /** So often all keys get new ranks, in requests. */
  readonly turnoverEvery?: number;
  /** So often one key, popular ones more often than others, changes ranks with any other, in requests. */
  readonly driftEvery?: number;
}

/** The keys that are asked for, in order. With the same skew and seed a scan changes nothing about the others. */
export function traffic(kind: TrafficKind, seed: number): Int32Array {
  const random = seeded(seed);
  const rank = zipf(kind.skew, random);
  const keyOf = Int32Array.from({ length: KEYS }, (_, key) => key);
  shuffle(keyOf, random);
  const requests = new Int32Array(REQUESTS + (kind.scan === undefined ? 0 : SCANNED));
  let place = 0;
  let scanned = KEYS;
  for (let request = 0; request < REQUESTS; request++) {
    for (let left = scansAt(kind, request); left > 0; left--) requests[place++] = scanned++;
    if (isDue(request, kind.turnoverEvery)) shuffle(keyOf, random);
    if (isDue(request, kind.driftEvery)) swap(keyOf, rank(), Math.floor(random() * KEYS));
    requests[place++] = keyOf[rank()] ?? 0;
  }
  return requests;
}

function scansAt({ scan }: TrafficKind, request: number): number {
  if (scan === "burst") return request === SCAN_BEGINS ? SCANNED : 0;
  const isScanned = request >= SCAN_BEGINS && request < SCAN_BEGINS + SCANNED;
  return scan === "mixed" && isScanned ? 1 : 0;
}

function isDue(request: number, every: number | undefined): boolean {
  return every !== undefined && request > 0 && request % every === 0;
}

/** Draws ranks, 0 the most popular. */
function zipf(skew: number, random: () => number): () => number {
  const sums = new Float64Array(KEYS);
  let sum = 0;
  for (let rank = 0; rank < KEYS; rank++) {
    sum += 1 / (rank + 1) ** skew;
    sums[rank] = sum;
  }
  return () => {
    const drawn = random() * sum;
    let low = 0;
    let high = KEYS - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) <= drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function shuffle(keys: Int32Array, random: () => number): void {
  for (let last = keys.length - 1; last > 0; last--)
    swap(keys, last, Math.floor(random() * (last + 1)));
}

function swap(keys: Int32Array, one: number, other: number): void {
  [keys[one], keys[other]] = [keys[other] ?? 0, keys[one] ?? 0];
}
