import assert from "node:assert/strict";
import fc from "fast-check";
import type { CacheKey } from "../../../server/cache/cache.js";
import { type MemoryCache, memoryCache } from "../../../server/cache/memory.js";
import { FakeClock } from "../../support/fake-clock.js";
import type { Sized } from "./cached.js";

const TTL_MS = 1000;
const MAX_BYTES = 20;
const SPACES = ["fast", "balanced", "accurate"] as const;

/** What a cache that forgets nothing would hold. */
interface Remembered {
  readonly value: Sized;
  readonly expiresMs: number;
}

/** The cache and the plain Map beside it: whatever the cache gives, the Map must have. */
class Pair {
  readonly clock = new FakeClock();
  readonly cache: MemoryCache<Sized>;
  readonly #model = new Map<string, Remembered>();
  readonly #maxEntries: number;
  #random = 0;
  #values = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
    const options = {
      maxEntries,
      maxBytes: MAX_BYTES,
      ttlMs: TTL_MS,
      sizeOf: ({ bytes }: Sized) => bytes,
      random: () => this.#random,
    };
    this.cache = memoryCache<Sized>(options, this.clock);
  }

  set(keys: readonly CacheKey[], bytes: number, random: number): void {
    this.#random = random;
    const entries = keys.map((key): [CacheKey, Sized] => [
      key,
      { name: `value ${this.#values++}`, bytes },
    ]);
    this.cache.set(entries);
    const expiresMs = this.clock.now() + TTL_MS * (0.9 + 0.2 * random);
    for (const [key, value] of entries) {
      if (bytes > MAX_BYTES) this.#model.delete(named(key));
      else this.#model.set(named(key), { value, expiresMs });
    }
    const [key] = entries.at(-1) ?? [];
    if (key !== undefined) assert.equal(this.cache.peek(key), this.#expected(key), "just set");
  }

  async get(keys: readonly CacheKey[]): Promise<void> {
    const hits = await this.cache.get(keys);
    assert.equal(hits.length, keys.length);
    for (const [place, key] of keys.entries()) {
      const hit = hits[place];
      this.#allows(key, hit?.value);
      assert.equal(hit?.tier ?? "memory", "memory");
      assert.equal(this.cache.peek(key), hit?.value, "peek() and get() agree");
    }
  }

  async clear(space: string | undefined): Promise<void> {
    const before = this.cache.entries;
    assert.equal(await this.cache.clear(space), before - this.cache.entries);
    for (const name of this.#model.keys())
      if (space === undefined || name.startsWith(`${space} `)) this.#model.delete(name);
    if (space === undefined) assert.equal(this.cache.entries, 0);
  }

  trim(share: number): void {
    const before = this.cache.entries;
    assert.equal(this.cache.trim(share), before - this.cache.entries);
    assert.ok(this.cache.entries <= before * (1 - share));
  }

  /** What another cache has kept comes back, for no longer than it had left. */
  restore(key: CacheKey, bytes: number, leftMs: number): void {
    const value = { name: `value ${this.#values++}`, bytes };
    const isFull = this.cache.entries >= this.#maxEntries;
    const expiresMs = this.clock.now() + Math.min(leftMs, TTL_MS);
    if (!this.cache.restore({ key, value, hits: 1, leftMs })) return;
    assert.ok(!isFull && leftMs > 0);
    this.#model.set(named(key), { value, expiresMs });
    assert.equal(this.cache.peek(key), value);
  }

  sweep(): void {
    const before = this.cache.entries;
    assert.equal(this.cache.sweep(), before - this.cache.entries);
    assert.equal(this.cache.hottest(Number.POSITIVE_INFINITY).length, this.cache.entries);
  }

  /** What must hold at any time. */
  check(): void {
    const live = this.cache.hottest(Number.POSITIVE_INFINITY);
    for (const { key, value } of live) this.#allows(key, value);
    const liveBytes = live.reduce((sum, { value }) => sum + value.bytes, 0);
    assert.ok(live.length <= this.cache.entries && this.cache.entries <= this.#maxEntries);
    assert.ok(liveBytes <= this.cache.bytes && this.cache.bytes <= MAX_BYTES);
    if (live.length === this.cache.entries) assert.equal(this.cache.bytes, liveBytes);
  }

  #expected(key: CacheKey): Sized | undefined {
    const known = this.#model.get(named(key));
    return known !== undefined && this.clock.now() < known.expiresMs ? known.value : undefined;
  }

  #allows(key: CacheKey, value: Sized | undefined): void {
    if (value !== undefined) assert.equal(value, this.#expected(key), named(key));
  }
}

const named = ({ space, hash }: CacheKey) => `${space} ${hash}`;

const key = fc.record({
  space: fc.constantFrom(...SPACES),
  hash: fc.constantFrom(..."abcdefgh"),
});
const keys = fc.array(key, { maxLength: 4 });
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const space = fc.option(fc.constantFrom(...SPACES), { nil: undefined });

type Step = (pair: Pair) => void | Promise<void>;

const written = fc.tuple(keys, fc.integer({ min: 0, max: MAX_BYTES + 2 }), share).map(
  ([set, bytes, random]): Step =>
    (pair) =>
      pair.set(set, bytes, random),
);
const small = fc.tuple(keys, share).map(
  ([set, random]): Step =>
    (pair) =>
      pair.set(set, 1, random),
);
const read = keys.map(
  (asked): Step =>
    (pair) =>
      pair.get(asked),
);
const later = fc.integer({ min: 0, max: 1200 }).map(
  (ms): Step =>
    (pair) =>
      pair.clock.advance(ms),
);
const cleared = space.map(
  (name): Step =>
    (pair) =>
      pair.clear(name),
);
const trimmed = share.map(
  (part): Step =>
    (pair) =>
      pair.trim(part),
);
const restored = fc
  .tuple(key, fc.integer({ min: 0, max: MAX_BYTES + 2 }), fc.integer({ min: -5, max: 2 * TTL_MS }))
  .map(
    ([kept, bytes, leftMs]): Step =>
      (pair) =>
        pair.restore(kept, bytes, leftMs),
  );
const swept = fc.constant<Step>((pair) => pair.sweep());

const step = fc.oneof(
  { weight: 3, arbitrary: written },
  { weight: 6, arbitrary: small },
  { weight: 6, arbitrary: read },
  { weight: 3, arbitrary: later },
  { weight: 1, arbitrary: cleared },
  { weight: 1, arbitrary: swept },
  { weight: 1, arbitrary: trimmed },
  { weight: 2, arbitrary: restored },
);

describe("the memory cache beside a plain Map", () => {
  it("never gives what the Map would not, and never breaks a bound, whatever is done to it", async () => {
    const steps = fc.array(step, { size: "medium", maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), steps, async (maxEntries, taken) => {
        const pair = new Pair(maxEntries);
        for (const take of taken) {
          await take(pair);
          pair.check();
        }
      }),
      { numRuns: 300 },
    );
  }).timeout(20_000);

  it("gives all that the Map would while there is room", async () => {
    const set = fc.uniqueArray(key, { selector: named, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(set, async (filled) => {
        const pair = new Pair(12);
        pair.set(filled, 1, 0);
        assert.equal((await pair.cache.get(filled)).filter(Boolean).length, filled.length);
        await pair.get(filled);
      }),
    );
  });
});
