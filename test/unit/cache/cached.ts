import type { CacheKey } from "../../../server/cache/cache.js";
import {
  type MemoryCache,
  type MemoryCacheOptions,
  memoryCache,
} from "../../../server/cache/memory.js";
import { FakeClock } from "../../support/fake-clock.js";

/** A value that says how large it is. */
export interface Sized {
  readonly name: string;
  readonly bytes: number;
}

export const keyOf = (hash: string, space = "balanced"): CacheKey => ({ space, hash });

export const sized = (name: string, bytes = 1): Sized => ({ name, bytes });

/** A cache of values that live for a second sharp, unless the options say otherwise. */
export function cacheOf(options: Partial<MemoryCacheOptions<Sized>> = {}): {
  readonly cache: MemoryCache<Sized>;
  readonly clock: FakeClock;
} {
  const clock = new FakeClock();
  const cache = memoryCache<Sized>(
    {
      maxEntries: 100,
      maxBytes: 1_000_000,
      ttlMs: 1000,
      sizeOf: ({ bytes }) => bytes,
      random: () => 0.5,
      ...options,
    },
    clock,
  );
  return { cache, clock };
}

/** Sets a value of one byte for each name. */
export function fill(cache: MemoryCache<Sized>, names: readonly string[], space?: string): void {
  cache.set(names.map((name) => [keyOf(name, space), sized(name)]));
}

/** Names that differ. */
export const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, place) => `${prefix}${place}`);

/** Which of the names are found. That is a use of each. */
export const heldOf = (cache: MemoryCache<Sized>, names: readonly string[]) =>
  names.filter((name) => cache.peek(keyOf(name)) !== undefined);
