import type { Call, Origin } from "../../server/core/call.js";

/** A call, or a part of one with the same `origin`, of which a test says no more than it is about: its caller stays, and has all the time there is. */
export const someCall = ({ origin = {}, ...call }: Partial<Call> = {}): Call => ({
  signal: new AbortController().signal,
  deadlineMs: Number.POSITIVE_INFINITY,
  origin,
  ...call,
});

/** One that came so. */
export const callFrom = (origin: Origin): Call => someCall({ origin });
