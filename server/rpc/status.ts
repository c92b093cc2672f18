import { randomUUID } from "node:crypto";
import { Status as Code } from "nice-grpc-common";
import type { Call } from "../core/call.js";
import { type ErrorHints, type Reason, ServiceError, StartupError } from "../core/errors.js";
import { remembered, repeated } from "../core/remembered.js";
import type { Any } from "../gen/google/protobuf/any.js";
import { BadRequest, ErrorInfo, QuotaFailure, RetryInfo } from "../gen/google/rpc/error_details.js";
import { Status } from "../gen/google/rpc/status.js";
import { durationOf } from "./duration.js";
import { bytesOf } from "./shared-writer.js";

const DOMAIN = "sentiment.v1";

/** Each reason's gRPC status: a reason without a row does not compile. */
const CODES: Record<Reason, Code> = {
  TEXT_EMPTY: Code.INVALID_ARGUMENT,
  TEXT_TOO_LONG: Code.INVALID_ARGUMENT,
  TEXT_NOT_UTF8: Code.INVALID_ARGUMENT,
  TIER_UNKNOWN: Code.INVALID_ARGUMENT,
  OPTION_UNKNOWN: Code.INVALID_ARGUMENT,
  BATCH_EMPTY: Code.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: Code.INVALID_ARGUMENT,
  ID_TOO_LONG: Code.INVALID_ARGUMENT,
  KEY_MISSING: Code.UNAUTHENTICATED,
  KEY_UNKNOWN: Code.UNAUTHENTICATED,
  NOT_ALLOWED: Code.PERMISSION_DENIED,
  TENSOR_INVALID: Code.INVALID_ARGUMENT,
  MODEL_UNKNOWN: Code.NOT_FOUND,
  MODEL_UNUSABLE: Code.FAILED_PRECONDITION,
  NOT_IMPLEMENTED: Code.UNIMPLEMENTED,
  PROFILE_UNWRITABLE: Code.FAILED_PRECONDITION,
  METADATA_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
  OVERLOADED: Code.RESOURCE_EXHAUSTED,
  RATE_LIMITED: Code.RESOURCE_EXHAUSTED,
  DEADLINE: Code.DEADLINE_EXCEEDED,
  BACKEND_DOWN: Code.UNAVAILABLE,
  DRAINING: Code.UNAVAILABLE,
  PROCESS_DOWN: Code.UNAVAILABLE,
  CACHE_DOWN: Code.UNAVAILABLE,
  BUG: Code.INTERNAL,
};

/** Told of an error that is ours, with the id that the client was given and the call that met it; undefined: work for no call. */
export type ReportBug = (id: string, error: unknown, call: Call | undefined) => void;

/** As the client reads it. */
export function reasonOf(error: unknown): Reason {
  if (error instanceof ServiceError) return error.reason;
  return error instanceof StartupError ? "BACKEND_DOWN" : "BUG";
}

/** A message travels in a header, percent-encoded, and in the details: clients refuse headers of more than 8 kB. */
const MOST_CHARACTERS = 1000;

/** A message as a header can carry it: gRPC's writer breaks on one that is not well-formed, and the process with it. */
export const sayable = (message: string): string =>
  message.length > MOST_CHARACTERS
    ? `${message.slice(0, MOST_CHARACTERS).toWellFormed()}...`
    : message.toWellFormed();

/** What the client reads of an error. An unexpected one becomes BUG: a fixed text and an id that stands in the log too. */
export function statusOf(error: unknown, reportBug: ReportBug, call: Call | undefined): Status {
  return toldStatus(error instanceof ServiceError ? error : unexpected(error, reportBug, call));
}

const toldStatus = repeated((error: ServiceError): Status => {
  const message = sayable(error.message);
  return { code: CODES[error.reason], message, details: detailsOf(error, message) };
});

/** All of it, as grpc-status-details-bin has it. */
export const statusBytes = repeated((status: Status): Uint8Array => bytesOf(Status, status));

function unexpected(error: unknown, reportBug: ReportBug, call: Call | undefined): ServiceError {
  const id = randomUUID();
  reportBug(id, error, call);
  // A model that is loaded at first use has a fault that would have kept the server from starting.
  if (error instanceof StartupError) {
    const message = `The model cannot be loaded. The server's log has the cause under the id ${id}.`;
    return new ServiceError("BACKEND_DOWN", message, { retryAfterMs: 30_000, cause: error });
  }
  return new ServiceError(
    "BUG",
    `The server failed on this. Its log has the cause under the id ${id}.`,
    { cause: error },
  );
}

function detailsOf({ reason, hints }: ServiceError, message: string): Any[] {
  const { field, retryAfterMs, quota } = hints;
  const details = [infoOf(reason)];
  if (field !== undefined) {
    const violation = { field, description: message, reason, localizedMessage: undefined };
    details.push(any("BadRequest", bytesOf(BadRequest, { fieldViolations: [violation] })));
  }
  if (retryAfterMs !== undefined) {
    const info = { retryDelay: durationOf(retryAfterMs) };
    details.push(any("RetryInfo", bytesOf(RetryInfo, info)));
  }
  if (quota !== undefined) details.push(any("QuotaFailure", quotaFailure(quota, message)));
  return details;
}

function quotaFailure(
  { subject, tokensPerMinute }: NonNullable<ErrorHints["quota"]>,
  description: string,
): Uint8Array {
  const violation = {
    subject,
    description,
    apiService: "sentiment.v1.SentimentService",
    quotaMetric: "sentiment.v1/tokens",
    quotaId: "tokens-per-minute",
    quotaDimensions: {},
    quotaValue: tokensPerMinute,
  };
  return bytesOf(QuotaFailure, { violations: [violation] });
}

const infoOf = remembered((reason: Reason): Any => {
  const info = { reason, domain: DOMAIN, metadata: {} };
  return any("ErrorInfo", bytesOf(ErrorInfo, info));
});

const any = (name: string, value: Uint8Array): Any => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value,
});
