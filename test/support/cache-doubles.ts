import type { Codec } from "../../server/cache/cache.js";
import type { RedisReport } from "../../server/cache/redis.js";

const MARK = 0xc3;

/** Any bytes, behind a mark and their number. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => Buffer.concat([Buffer.of(MARK, value.length >> 8, value.length), value]),
  decode(bytes) {
    const [mark, high = 0, low = 0] = bytes;
    if (mark !== MARK || bytes.length !== 3 + high * 256 + low) return undefined;
    return Uint8Array.from(bytes.subarray(3));
  },
};

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
