import { ServiceError } from "../core/errors.js";

/** What a call meets that wants in. */
export interface Backlog {
  /** Tokens that wait, of rows that are in turn before the call's last one. */
  readonly aheadTokens: number;
  /** Tokens of the batches that the backend has. */
  readonly runningTokens: number;
  /** Tokens of the call itself. */
  readonly ownTokens: number;
  /** Batches that the backend runs side by side. */
  readonly concurrency: number;
  /** Milliseconds of one of these places that a token costs; undefined while it is not known. */
  readonly msPerToken: number | undefined;
  /** Milliseconds between one token done and the next while rows waited; undefined while none have. */
  readonly drainMsPerToken: number | undefined;
}

/** Milliseconds until the last of the call's rows would be answered; 0 while nothing is known. Pure. */
export function waitOf({
  aheadTokens,
  runningTokens,
  ownTokens,
  concurrency,
  msPerToken = 0,
  drainMsPerToken = 0,
}: Backlog): number {
  const tokens = aheadTokens + runningTokens + ownTokens;
  // Busy cores do other things too: what has been done a millisecond of late is nearer the truth than what the model alone would do.
  return tokens * Math.max(msPerToken / concurrency, drainMsPerToken);
}

const LEAST_RETRY_MS = 100;

/** For what was admitted and whose turn comes so late that its caller would have left before the answer. */
export const outrun = () =>
  new ServiceError("OVERLOADED", "The answer would come too late by now: try again later.", {
    retryAfterMs: LEAST_RETRY_MS,
  });

/** Throws OVERLOADED for a call that would wait longer than it may, and tells `refused` before; a later try is told of when it would not. */
export function admit(waitMs: number, mayWaitMs: number, refused: () => void): void {
  if (waitMs <= mayWaitMs) return;
  refused();
  const seconds = (ms: number) => (Math.max(0, ms) / 1000).toFixed(1);
  const message = `The answer would take about ${seconds(waitMs)} s, and may take ${seconds(mayWaitMs)} s: try again later, or send less at once.`;
  const retryAfterMs = Math.ceil(Math.max(LEAST_RETRY_MS, waitMs - Math.max(0, mayWaitMs)));
  throw new ServiceError("OVERLOADED", message, { retryAfterMs });
}
