import type { CacheKey } from "./cache.js";
import { Queue, type Queued } from "./queue.js";

export interface Bounds {
  readonly maxEntries: number;
  /** Of all entries together, as their `bytes` say. */
  readonly maxBytes: number;
}

/** What the eviction knows of an entry. */
export interface Evictable<Entry> extends Queued<Entry> {
  readonly key: CacheKey;
  /** How often it will still be spared, MOST_USES at most: whoever uses an entry adds one. */
  uses: number;
  /** Whether it has proved itself: it then waits in the main queue. */
  proven: boolean;
}

/** More than this says nothing new of an entry: each is one more turn through the main queue. */
export const MOST_USES = 3;
/** Of the bounds: what entries that have not proved themselves may take while others need the room. */
const SHARE_ON_TRIAL = 0.1;

/**
 * Which entries make room for others: S3-FIFO. A new entry is on trial in a queue of a tenth of the room; what is used there moves
 * on to the main queue, what is not goes, and is remembered by its hash for a while: if it is set again it was worth keeping, and is
 * proven at once. In the main queue an entry goes around once more for each use, and leaves when it has none left.
 *
 * So texts that are seen once pass through the tenth and push nothing else out, and a use is a counter, not a move within a list.
 * `make bench-cache` compares it with LRU, SIEVE and W-TinyLFU. One difference to the paper: a single use on trial is enough.
 */
export class Eviction<Entry extends Evictable<Entry>> {
  readonly #onTrial = new Queue<Entry>();
  readonly #proven = new Queue<Entry>();
  readonly #evicted: RecentHashes;
  readonly #bounds: Bounds;
  readonly #drop: (entry: Entry) => void;

  /** @param drop told of each entry that has gone to make room */
  constructor(bounds: Bounds, drop: (entry: Entry) => void) {
    this.#bounds = bounds;
    this.#drop = drop;
    this.#evicted = new RecentHashes(bounds.maxEntries);
  }

  get entries(): number {
    return this.#onTrial.entries + this.#proven.entries;
  }

  get bytes(): number {
    return this.#onTrial.bytes + this.#proven.bytes;
  }

  /** Whether an entry of so many bytes has room at all, alone. */
  fits(bytes: number): boolean {
    return this.#bounds.maxEntries >= 1 && bytes <= this.#bounds.maxBytes;
  }

  /** Whether an entry of so many bytes has room beside all others. */
  hasRoom(bytes: number): boolean {
    return this.fits(bytes) && !this.#isCrowdedBy(bytes);
  }

  /** Drops that share (0 to 1) of the entries, rounded up, as if others needed their room; returns how many. */
  trim(share: number): number {
    const before = this.entries;
    const after = Math.floor(before * (1 - share));
    while (this.entries > after) this.#evict();
    return before - this.entries;
  }

  /** Takes in an entry that fits; others go before it comes, so it stays itself and the bounds hold at any time. */
  add(entry: Entry): void {
    while (this.#isCrowdedBy(entry.bytes) && this.entries > 0) this.#evict();
    if (this.#evicted.take(entry.key.hash)) entry.proven = true;
    this.#queueOf(entry).push(entry);
  }

  remove(entry: Entry): void {
    this.#queueOf(entry).remove(entry);
  }

  #queueOf(entry: Entry): Queue<Entry> {
    return entry.proven ? this.#proven : this.#onTrial;
  }

  #isCrowdedBy(bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#bounds;
    return this.entries + 1 > maxEntries || this.bytes + bytes > maxBytes;
  }

  /** One step: spares an entry, which costs it one of its uses, or drops it. */
  #evict(): void {
    const entry = this.#next();
    if (entry === undefined) return;
    this.remove(entry);
    if (entry.uses > 0) {
      entry.uses--;
      entry.proven = true;
      this.#proven.push(entry);
      return;
    }
    if (!entry.proven) this.#evicted.add(entry.key.hash);
    this.#drop(entry);
  }

  #next(): Entry | undefined {
    const { maxEntries, maxBytes } = this.#bounds;
    const { entries, bytes, oldest } = this.#onTrial;
    const tooMany =
      entries >= Math.max(1, maxEntries * SHARE_ON_TRIAL) || bytes >= maxBytes * SHARE_ON_TRIAL;
    return tooMany ? (oldest ?? this.#proven.oldest) : (this.#proven.oldest ?? oldest);
  }
}

/** The last `most` / 2 to `most` hashes that were added: in two halves, of which the older is forgotten as a whole. */
class RecentHashes {
  #newer = new Set<string>();
  #older = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(hash: string): void {
    this.#newer.add(hash);
    if (this.#newer.size < this.#most / 2) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }

  /** Whether it was there. It no longer is. */
  take(hash: string): boolean {
    return this.#newer.delete(hash) || this.#older.delete(hash);
  }
}
