import { Metadata } from "@grpc/grpc-js";
import { type Reason, ServiceError } from "../core/errors.js";
import { DETAILS } from "./around-calls.js";
import type { CutReason } from "./events.js";
import { statusBytes, statusOf } from "./status.js";

const RETRY_MS = 1000;

/** The status of a call that is cut. */
interface Ending {
  readonly reason: Reason;
  readonly message: (limit: number) => string;
}

type Ended = Exclude<CutReason, "stopped_reader">;

/** A reader that has stopped would not get one. */
const ENDINGS: Readonly<Record<Ended, Ending>> = {
  large_metadata: {
    reason: "METADATA_TOO_LARGE",
    message: (bytes) => `The call's metadata is over ${bytes} bytes: send less of it.`,
  },
  too_many_streams: {
    reason: "OVERLOADED",
    message: (most) =>
      `There are ${most} streams already: try again, at another server, or send the texts by AnalyzeBatch.`,
  },
  large_requests: {
    reason: "OVERLOADED",
    message: (bytes) =>
      `Requests that are not answered yet take ${Math.round(bytes / 2 ** 20)} MB already, and this connection has its part of them: send fewer texts at once, and take the answers.`,
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

/** The status of a call that is cut, as grpc-js sends it. */
export function endingOf(why: Ended, limit: number) {
  const { reason, message } = ENDINGS[why];
  const hints = reason === "OVERLOADED" ? { retryAfterMs: RETRY_MS } : {};
  const status = statusOf(new ServiceError(reason, message(limit), hints), () => {}, undefined);
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(statusBytes(status)));
  return { code: Number(status.code), details: status.message, metadata };
}
