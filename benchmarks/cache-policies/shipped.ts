import { createHash } from "node:crypto";
import type { CacheKey } from "../../server/cache/cache.js";
import { type MemoryCache, memoryCache } from "../../server/cache/memory.js";
import { systemClock } from "../../server/core/clock.js";
import type { Policy } from "./policy.js";

const keys: CacheKey[] = [];

/** The key of the cache for a number; made once, since every policy and run asks for it. */
export function cacheKey(key: number): CacheKey {
  keys[key] ??= {
    space: "balanced",
    hash: createHash("sha256").update(String(key)).digest("base64url"),
  };
  return keys[key];
}

/** The memory tier as the server has it, bounded by entries alone. */
export function entriesAlone(maxEntries: number): MemoryCache<number> {
  const options = {
    maxEntries,
    maxBytes: Number.POSITIVE_INFINITY,
    ttlMs: Number.POSITIVE_INFINITY,
    sizeOf: () => 1,
    random: Math.random,
  };
  return memoryCache<number>(options, systemClock);
}

export class Shipped implements Policy {
  readonly #cache: MemoryCache<number>;

  constructor(capacity: number) {
    this.#cache = entriesAlone(capacity);
  }

  request(key: number): boolean {
    const cached = cacheKey(key);
    if (this.#cache.peek(cached) === key) return true;
    this.#cache.set([[cached, key]]);
    return false;
  }
}
