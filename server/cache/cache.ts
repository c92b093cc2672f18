/** Where a value was found. */
export type CacheTier = "memory" | "redis";

export interface Hit<Value> {
  readonly value: Value;
  readonly tier: CacheTier;
}

/** A key: whose answers it is among, and which of them. */
export interface CacheKey {
  /** All that an answer depends on but the text: model, tokenizer, settings. Short, and safe in a Redis key. */
  readonly space: string;
  /** sha-256 of the rest, base64url. */
  readonly hash: string;
}

/** Values by key. It may forget, but never fail: what goes wrong inside is a miss, and counted. Values are shared: nobody may change one. */
export interface Cache<Value> extends AsyncDisposable {
  /** One a key, in their order; undefined: a miss. Never rejects, and takes no longer than the cache's own limit. `isUnasked`: on nobody's behalf, which is not counted. */
  get(keys: readonly CacheKey[], isUnasked?: boolean): Promise<readonly (Hit<Value> | undefined)[]>;
  /** Returns at once: nobody waits for a write. */
  set(entries: readonly (readonly [key: CacheKey, value: Value])[]): void;
  /** Forgets the values of a space, or all. Resolves with how many, as far as that is cheap to know. Rejects with CACHE_DOWN where some could not be reached: those are still given. */
  clear(space?: string): Promise<number>;
}

/** Values as bytes, for a cache outside the process. */
export interface Codec<Value> {
  encode(value: Value, key: CacheKey): Uint8Array;
  /** undefined for bytes that are not a value of this version, or not of this key: nothing from outside is trusted. Never throws. */
  decode(bytes: Uint8Array, key: CacheKey): Value | undefined;
}
