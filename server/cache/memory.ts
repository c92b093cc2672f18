import type { Clock } from "../core/clock.js";
import type { Cache, CacheKey, Hit } from "./cache.js";
import { type Bounds, type Evictable, Eviction, MOST_USES } from "./eviction.js";

export interface MemoryCacheOptions<Value> extends Bounds {
  /** How long a value is served, in milliseconds, give or take a tenth. */
  readonly ttlMs: number;
  /** Bytes that the value takes, with whatever is to be counted for its key; not negative. Must not throw. */
  readonly sizeOf: (value: Value) => number;
  /** Random numbers, 0 up to 1. */
  readonly random: () => number;
}

/** A value with all that a cache knows of it, so that it can be kept elsewhere and come back. */
export interface Kept<Value> {
  readonly key: CacheKey;
  readonly value: Value;
  /** How often it was used lately. */
  readonly hits: number;
  /** Until it expires, in milliseconds. */
  readonly leftMs: number;
}

/** The tier in the process. Its methods never throw; nothing in it happens by itself, so whoever has it calls sweep() now and then. */
export interface MemoryCache<Value> extends Cache<Value> {
  /** Held, those included that have expired and not been swept yet. */
  readonly entries: number;
  /** Of all of them, as sizeOf() says. */
  readonly bytes: number;
  /** The same as get() of one key, and counts as a use, but without a promise. */
  peek(key: CacheKey): Value | undefined;
  /** Milliseconds until the key's value expires; 0 where it has none. */
  leftMs(key: CacheKey): number;
  /** As set() of one, for no longer than so many milliseconds. */
  setFor(mostMs: number, key: CacheKey, value: Value): void;
  /** Drops what has expired; returns how many. Takes time for every entry. */
  sweep(): number;
  /** At most `count` values that have not expired, those used most often lately first. Takes time for every entry. */
  hottest(count: number): Kept<Value>[];
  /**
   * Takes in what hottest() gave, of this cache or of one before it: for no longer than it was to live, nor than `ttlMs`. Returns
   * false for one that has expired, whose key has a value, or that others would have to make room for.
   */
  restore(kept: Kept<Value>): boolean;
  /** Drops that share (0 to 1) of the entries, those first that would make room for others; returns how many. */
  trim(share: number): number;
}

interface Entry<Value> extends Evictable<Entry<Value>> {
  /** Made once, so that a hit makes nothing. */
  readonly hit: Hit<Value>;
  /** On the cache's clock; from then on it is a miss. */
  readonly expiresMs: number;
  /** Halved whenever the value is written anew: what was hot long ago cools down. */
  hits: number;
}

/** What an entry begins with. */
type Standing = Pick<Entry<unknown>, "bytes" | "expiresMs" | "uses" | "proven" | "hits">;

/**
 * A cache in memory, bounded by entries and by bytes; which entries make room for others is `Eviction`'s choice. A value too
 * large for the bounds is not kept, nor is what its key had before.
 */
export function memoryCache<Value>(
  options: MemoryCacheOptions<Value>,
  clock: Clock,
): MemoryCache<Value> {
  return new Memory(options, clock);
}

class Memory<Value> implements MemoryCache<Value> {
  /** By space, then by hash: no string is put together to look one up, and a space is cleared at once. */
  readonly #spaces = new Map<string, Map<string, Entry<Value>>>();
  readonly #eviction: Eviction<Entry<Value>>;
  readonly #options: MemoryCacheOptions<Value>;
  readonly #clock: Clock;

  constructor(options: MemoryCacheOptions<Value>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#eviction = new Eviction(options, (entry) => this.#forget(entry));
  }

  get entries(): number {
    return this.#eviction.entries;
  }

  get bytes(): number {
    return this.#eviction.bytes;
  }

  peek(key: CacheKey): Value | undefined {
    return this.#use(key)?.value;
  }

  get(keys: readonly CacheKey[]): Promise<(Hit<Value> | undefined)[]> {
    return Promise.resolve(keys.map((key) => this.#use(key)));
  }

  set(entries: readonly (readonly [key: CacheKey, value: Value])[]): void {
    for (const [key, value] of entries) this.#write(key, value);
  }

  leftMs({ space, hash }: CacheKey): number {
    const entry = this.#spaces.get(space)?.get(hash);
    return entry === undefined ? 0 : Math.max(0, entry.expiresMs - this.#clock.now());
  }

  setFor(mostMs: number, key: CacheKey, value: Value): void {
    if (mostMs > 0) this.#write(key, value, mostMs);
  }

  clear(space?: string): Promise<number> {
    const spaces = space === undefined ? [...this.#spaces.keys()] : [space];
    let cleared = 0;
    for (const name of spaces) {
      const entries = this.#spaces.get(name);
      this.#spaces.delete(name);
      for (const entry of entries?.values() ?? []) this.#eviction.remove(entry);
      cleared += entries?.size ?? 0;
    }
    return Promise.resolve(cleared);
  }

  sweep(): number {
    const nowMs = this.#clock.now();
    let swept = 0;
    for (const entries of this.#spaces.values()) {
      for (const entry of entries.values()) {
        if (nowMs < entry.expiresMs) continue;
        this.#eviction.remove(entry);
        this.#forget(entry);
        swept++;
      }
    }
    return swept;
  }

  hottest(count: number): Kept<Value>[] {
    const nowMs = this.#clock.now();
    const live = [...this.#spaces.values()]
      .flatMap((entries) => [...entries.values()])
      .filter(({ expiresMs }) => nowMs < expiresMs);
    live.sort((one, other) => other.hits - one.hits);
    return live.slice(0, count).map(({ key, hit, hits, expiresMs }) => ({
      key,
      value: hit.value,
      hits,
      leftMs: expiresMs - nowMs,
    }));
  }

  restore({ key, value, hits, leftMs }: Kept<Value>): boolean {
    const bytes = this.#options.sizeOf(value);
    const has = this.#spaces.get(key.space)?.has(key.hash) === true;
    if (has || !(leftMs > 0) || !this.#eviction.hasRoom(bytes)) return false;
    const expiresMs = this.#clock.now() + Math.min(leftMs, this.#options.ttlMs);
    const uses = Math.min(hits, MOST_USES);
    this.#add(key, value, { bytes, expiresMs, uses, proven: uses > 0, hits });
    return true;
  }

  trim(share: number): number {
    return this.#eviction.trim(share);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
  }

  #use({ space, hash }: CacheKey): Hit<Value> | undefined {
    const entry = this.#spaces.get(space)?.get(hash);
    if (entry === undefined || this.#clock.now() >= entry.expiresMs) return undefined;
    entry.hits++;
    if (entry.uses < MOST_USES) entry.uses++;
    return entry.hit;
  }

  #write(key: CacheKey, value: Value, mostMs = Number.POSITIVE_INFINITY): void {
    const bytes = this.#options.sizeOf(value);
    const ttlMs = Math.min(this.#options.ttlMs * this.#jitter(), mostMs);
    const expiresMs = this.#clock.now() + ttlMs;
    const old = this.#spaces.get(key.space)?.get(key.hash);
    if (old !== undefined) {
      this.#eviction.remove(old);
      this.#forget(old);
    }
    if (!this.#eviction.fits(bytes)) return;
    // The standing of what it had stays: a popular text must not prove itself again every time that its answer expires.
    const { uses = 0, proven = false, hits = 0 } = old ?? {};
    this.#add(key, value, { bytes, expiresMs, uses, proven, hits: hits >> 1 });
  }

  #add(key: CacheKey, value: Value, standing: Standing): void {
    const hit = { value, tier: "memory" } as const;
    const { bytes, expiresMs, uses, proven, hits } = standing;
    // Each by its name: rest and spread are slow, and this is twice on the path of a call.
    const entry: Entry<Value> = {
      key,
      hit,
      bytes,
      expiresMs,
      uses,
      proven,
      hits,
      older: undefined,
      newer: undefined,
    };
    const { space, hash } = key;
    const entries = this.#spaces.get(space);
    if (entries === undefined) this.#spaces.set(space, new Map([[hash, entry]]));
    else entries.set(hash, entry);
    this.#eviction.add(entry);
  }

  /** So that values written together do not all expire together, and all be asked of the model at once. */
  #jitter(): number {
    return 0.9 + 0.2 * this.#options.random();
  }

  #forget({ key: { space, hash } }: Entry<Value>): void {
    const entries = this.#spaces.get(space);
    entries?.delete(hash);
    if (entries?.size === 0) this.#spaces.delete(space);
  }
}
