import type { Call } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import type { Reason } from "../core/errors.js";
import { whyLeft } from "./call-context.js";
import { reasonOf } from "./status.js";

/** Why a text has no answer; CANCELLED: its client has left. */
export type FailedText = Reason | "CANCELLED";

/** What came of a text of the call that failed with `error`. A caller who has left is told nothing, whatever the error is. */
export function failedText(error: unknown, { signal, deadlineMs }: Call, clock: Clock): FailedText {
  if (!signal.aborted) return reasonOf(error);
  return whyLeft(deadlineMs, clock) === "CANCELLED" ? "CANCELLED" : "DEADLINE";
}
