import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { ServiceError } from "../../core/errors.js";
import { type KeyEntry, type Right, SALT_BYTES } from "./key-file.js";

/** Who shows a key that is known. */
export interface Holder {
  readonly name: string;
  readonly rights: readonly Right[];
  /** What it may have analyzed, as it is now: a stream goes on when it has changed. undefined: what all may. */
  readonly tokensPerMinute?: number | undefined;
  /** Whether the key would still be let in, with the same rights: for calls that go on long after they were. */
  readonly isCurrent: () => boolean;
}

export interface Keys {
  /** The holder of `key`; undefined for one that is unknown or has expired. A promise only where that takes more than a moment. */
  holderOf(key: string): Holder | undefined | Promise<Holder | undefined>;
}

/** Keys that are at hand. */
export interface ListedKeys extends Keys {
  holderOf(key: string): Holder | undefined;
}

/** One error for whatever is wrong with a key: a stranger learns nothing of which keys there are. */
export const keyUnknown = () =>
  new ServiceError(
    "KEY_UNKNOWN",
    "The key is unknown here or has expired: ask who runs this server for a new one.",
  );

/** A key names its entry, then comes its secret: `sap_`, 16 hexadecimal digits, `_`, 32 bytes in base64url. */
const KEY = /^sap_([0-9a-f]{16})_[\w-]{43}$/;
/** Far over any key of ours. Hashing what is longer would let strangers make the server work. */
const MAX_KEY_LENGTH = 512;

/**
 * SHA-256 of the salt's bytes, then of the key in UTF-8. A fast hash will do: keys are 256 random bits, which nobody guesses
 * from it, and every call pays for it.
 */
export const hashOf = (salt: Uint8Array, key: string): Buffer =>
  createHash("sha256").update(salt).update(key).digest();

interface Known {
  readonly holder: Omit<Holder, "isCurrent">;
  readonly salt: Uint8Array;
  readonly hash: Buffer;
  readonly expiresMs: number;
}

/** By the id that a key names. */
export type KnownKeys = ReadonlyMap<string, Known>;

export const knownKeys = (entries: readonly KeyEntry[]): KnownKeys =>
  new Map(
    entries.map(({ id, name, rights, tokensPerMinute, salt, hash, expires }) => [
      id,
      {
        holder: { name, rights, ...(tokensPerMinute !== undefined && { tokensPerMinute }) },
        salt: Buffer.from(salt, "hex"),
        hash: Buffer.from(hash, "hex"),
        expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
      },
    ]),
  );

/** A class, as a getter that each call's own object had would outlive the call: V8 keeps a map of each. */
class ListedHolder implements Holder {
  readonly name: string;
  readonly rights: readonly Right[];
  readonly isCurrent: () => boolean;
  #last: Known["holder"];
  readonly #now: () => Known | undefined;

  constructor(then: Known["holder"], now: () => Known | undefined, isCurrent: () => boolean) {
    this.name = then.name;
    this.rights = then.rights;
    this.isCurrent = isCurrent;
    this.#last = then;
    this.#now = now;
  }

  get tokensPerMinute(): number | undefined {
    this.#last = this.#now()?.holder ?? this.#last;
    return this.#last.tokensPerMinute;
  }
}

/** Whose key is looked at where nobody's is named, so that it takes as long. */
const NOBODY: Known = {
  holder: { name: "", rights: [] },
  salt: randomBytes(SALT_BYTES),
  hash: randomBytes(32),
  expiresMs: Number.NEGATIVE_INFINITY,
};

/**
 * `known` gives the entries as they are now; `nowMs` is the time of day, in milliseconds since 1970. Every key costs one hash and
 * one look at the time, whether it is right, wrong, revoked or has expired, and however many there are.
 */
export function keysOf(known: () => KnownKeys, nowMs: () => number): ListedKeys {
  const isCurrent = (id: string, { hash, holder }: Known): boolean => {
    const now = known().get(id);
    return (
      now?.hash.equals(hash) === true &&
      holder.rights.every((right) => now.holder.rights.includes(right)) &&
      nowMs() < now.expiresMs
    );
  };
  return {
    holderOf(key) {
      if (key.length > MAX_KEY_LENGTH) return undefined;
      const id = KEY.exec(key)?.[1] ?? "";
      const entry = known().get(id) ?? NOBODY;
      const isSame = timingSafeEqual(hashOf(entry.salt, key), entry.hash);
      const isInTime = nowMs() < entry.expiresMs;
      if (!(isSame && isInTime)) return undefined;
      return new ListedHolder(
        entry.holder,
        () => known().get(id),
        () => isCurrent(id, entry),
      );
    },
  };
}
