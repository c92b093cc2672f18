import type { Clock } from "../core/clock.js";
import type { Log } from "./log.js";

const MINUTE_MS = 60_000;
/** Holders that are told of in a minute: without keys there may be any number. */
const MOST_HOLDERS = 10;

/** A holder who was refused, or would have been. */
interface OverQuota {
  readonly holder: string;
  readonly tokensPerMinute: number;
  readonly isShadow: boolean;
}

/** Tells the log of who is over a quota: of each once a minute, of ten at most. */
export function quotaLog(log: Log, clock: Clock): (who: OverQuota) => void {
  const told = new Set<string>();
  let sinceMs = Number.NEGATIVE_INFINITY;
  return ({ holder, tokensPerMinute, isShadow }) => {
    const nowMs = clock.now();
    if (nowMs - sinceMs >= MINUTE_MS) {
      told.clear();
      sinceMs = nowMs;
    }
    if (told.size >= MOST_HOLDERS || told.has(holder)) return;
    told.add(holder);
    const message = isShadow
      ? "over its quota, and let in (QUOTA_MODE=shadow)"
      : "over its quota: refused";
    log.info({ holder, tokensPerMinute }, message);
  };
}
