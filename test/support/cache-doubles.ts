import type { CacheKey, Codec } from "../../server/cache/cache.js";
import type { RedisReport } from "../../server/cache/redis.js";

const MARK = 0xc3;

/** Any bytes, behind a mark, their number and their key. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value, key) => Buffer.concat([headOf(value.length, key), value]),
  decode(bytes, key) {
    const { length } = headOf(0, key);
    const value = Uint8Array.from(bytes.subarray(length));
    const isIts = headOf(value.length, key).equals(bytes.subarray(0, length));
    return isIts ? value : undefined;
  },
};

const headOf = (length: number, { space, hash }: CacheKey) =>
  Buffer.concat([Buffer.of(MARK, length >> 8, length), Buffer.from(`${space}:${hash};`)]);

export interface NotedReport extends RedisReport {
  /** Keys and entries by what became of them: `get hit`, `set dropped`. */
  readonly counts: ReadonlyMap<string, number>;
  readonly states: readonly string[];
  /** Reasons of errors, and of clears that were not finished. */
  readonly reasons: readonly string[];
}

export function notedReport(): NotedReport {
  const counts = new Map<string, number>();
  const states: string[] = [];
  const reasons: string[] = [];
  const add = (name: string, count: number, why: string | undefined) => {
    counts.set(name, (counts.get(name) ?? 0) + count);
    if (why !== undefined) reasons.push(why);
  };
  return {
    counts,
    states,
    reasons,
    looked: (outcome, keys, why) => add(`get ${outcome}`, keys, why),
    wrote: (outcome, entries, why) => add(`set ${outcome}`, entries, why),
    turned: (state) => states.push(state),
    unclean: (why) => reasons.push(why),
  };
}
