import { Pace } from "../../src/api/pace.ts";

/** A pace whose time passes only in its waits; `meanwhile` happens in each. */
export function pacing(random = 0, meanwhile = async () => {}) {
  let nowMs = 0;
  const waits: (readonly [number, string])[] = [];
  const pace = new Pace({
    nowMs: () => nowMs,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      await meanwhile();
      nowMs += ms;
    },
    random: () => random,
    onWait: (ms, why) => waits.push([Math.round(ms), why]),
  });
  return { pace, waits, nowMs: () => nowMs };
}

export const never = new AbortController().signal;
