import { createHash, timingSafeEqual } from "node:crypto";
import type { KeyEntry, Right } from "./key-file.js";

/** Who shows a key that is known. */
export interface Holder {
  readonly name: string;
  readonly rights: readonly Right[];
  /** What it may have analyzed; undefined: what all may. */
  readonly tokensPerMinute?: number | undefined;
}

export interface Keys {
  /** The holder of `key`; undefined for one that is unknown or has expired, after the same work. */
  holderOf(key: string): Holder | undefined;
}

/** Far over any key of ours. Hashing what is longer, once an entry, would let strangers make the server work. */
const MAX_KEY_LENGTH = 512;

/**
 * SHA-256 of the salt's bytes, then of the key in UTF-8. A fast hash will do: keys are 256 random bits, which nobody guesses
 * from it, and every call pays for it.
 */
export const hashOf = (salt: Uint8Array, key: string): Buffer =>
  createHash("sha256").update(salt).update(key).digest();

/** `nowMs` is the time of day, in milliseconds since 1970. */
export function keysOf(entries: readonly KeyEntry[], nowMs: () => number): Keys {
  const known = entries.map(({ name, rights, tokensPerMinute, salt, hash, expires }) => ({
    holder: { name, rights, ...(tokensPerMinute !== undefined && { tokensPerMinute }) },
    salt: Buffer.from(salt, "hex"),
    hash: Buffer.from(hash, "hex"),
    expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  }));
  return {
    holderOf(key) {
      if (key.length > MAX_KEY_LENGTH) return undefined;
      let holder: Holder | undefined;
      // Every entry is looked at, also after the right one, so that the time tells nothing of where it stands.
      for (const entry of known) {
        const same = timingSafeEqual(hashOf(entry.salt, key), entry.hash);
        if (same && nowMs() < entry.expiresMs) holder = entry.holder;
      }
      return holder;
    },
  };
}
