import type { Clock } from "../core/clock.js";
import type { Log } from "./log.js";

export interface CallLogOptions {
  /** Of the calls that are neither slow nor failed, 0 to 1. */
  readonly sample: number;
  /** From so many milliseconds on a call is slow. */
  readonly slowMs: number;
}

const MESSAGES = { warn: "call failed", info: "call", debug: "call" } as const;
type CallLevel = keyof typeof MESSAGES;

/** Lines of failed calls in a second: while a backend is down all calls fail alike. */
const MOST_FAILED = 10;

/**
 * Which calls the log tells of: at level debug all, at info a sample and the slow ones; those that failed by the server's fault always, up to ten a second, and
 * then how many there were besides.
 */
export function callLog(
  log: Log,
  { sample, slowMs }: CallLogOptions,
  clock: Clock,
  random = Math.random,
) {
  let secondMs = Number.NEGATIVE_INFINITY;
  let failed = 0;
  let omitted = 0;
  // Asked once: levels stay as they are, and every call would ask.
  const [warns, informs, debugs] = (["warn", "info", "debug"] as const).map((level) =>
    log.isLevelEnabled(level),
  );
  const levelOfAnswered = (ms: number): CallLevel | undefined => {
    if (!informs) return undefined;
    if (ms >= slowMs) return "info";
    if (debugs) return "debug";
    return random() < sample ? "info" : undefined;
  };
  const levelOfFailed = (): CallLevel | undefined => {
    const nowMs = clock.now();
    if (nowMs - secondMs >= 1000) [secondMs, failed] = [nowMs, 0];
    failed++;
    if (failed <= MOST_FAILED) return "warn";
    omitted++;
    return undefined;
  };
  const levelOf = (isFault: boolean, ms: number): CallLevel | undefined =>
    isFault && warns ? levelOfFailed() : levelOfAnswered(ms);
  const write = (level: CallLevel, line: { readonly ms: number }): void => {
    const isSlow = level === "info" && line.ms >= slowMs;
    if (level === "warn" && omitted > 0) log.warn({ ...line, omitted }, MESSAGES.warn);
    else log[level](line, isSlow ? "slow call" : MESSAGES[level]);
    if (level === "warn") omitted = 0;
  };
  return { levelOf, write };
}
