import type { Log } from "./log.js";

export interface CallLogOptions {
  /** Of the calls that are neither slow nor failed, 0 to 1. */
  readonly sample: number;
  /** From so many milliseconds on a call is slow. */
  readonly slowMs: number;
}

const MESSAGES = { warn: "call failed", info: "call", debug: "call" } as const;
type CallLevel = keyof typeof MESSAGES;

/** Which calls the log tells of: at level debug all, at info a sample and the slow ones; those that failed by the server's fault always. */
export function callLog(log: Log, { sample, slowMs }: CallLogOptions, random = Math.random) {
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
  const levelOf = (isFault: boolean, ms: number): CallLevel | undefined =>
    isFault && warns ? "warn" : levelOfAnswered(ms);
  const write = (level: CallLevel, line: { readonly ms: number }): void =>
    log[level](line, level === "info" && line.ms >= slowMs ? "slow call" : MESSAGES[level]);
  return { levelOf, write };
}
