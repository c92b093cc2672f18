import type { Reason } from "../core/errors.js";
import type { CutReason } from "./events.js";

/** The status of a call that is cut. */
interface Ending {
  readonly reason: Reason;
  readonly message: (limit: number) => string;
}

/** A reader that has stopped would not get one. */
export const ENDINGS: Readonly<Record<Exclude<CutReason, "stopped_reader">, Ending>> = {
  large_metadata: {
    reason: "METADATA_TOO_LARGE",
    message: (bytes) => `The call's metadata is over ${bytes} bytes: send less of it.`,
  },
  too_many_streams: {
    reason: "OVERLOADED",
    message: (most) =>
      `There are ${most} streams already: try again, at another server, or send the texts by AnalyzeBatch.`,
  },
  slow_request: {
    reason: "DEADLINE",
    message: (ms) =>
      `The request has not arrived within ${ms / 1000} seconds: send it in one go, and fewer texts in a call.`,
  },
  silent_stream: {
    reason: "DEADLINE",
    message: (ms) =>
      `Nothing was sent for ${ms / 1000} seconds: end a stream that has no texts, and open another when there are some.`,
  },
};
