/** A status of gRPC. */
export type Code =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** The server's words for why there is no answer (the README's table), and one of this client. */
export type KnownReason =
  | "TEXT_EMPTY"
  | "TEXT_TOO_LONG"
  | "TEXT_NOT_UTF8"
  | "TIER_UNKNOWN"
  | "OPTION_UNKNOWN"
  | "ID_TOO_LONG"
  | "BATCH_EMPTY"
  | "BATCH_TOO_LARGE"
  | "KEY_MISSING"
  | "KEY_UNKNOWN"
  | "NOT_ALLOWED"
  | "METADATA_TOO_LARGE"
  | "NOT_IMPLEMENTED"
  | "OVERLOADED"
  | "RATE_LIMITED"
  | "DEADLINE"
  | "BACKEND_DOWN"
  | "DRAINING"
  | "BUG"
  | "CLIENT_CLOSED";

/** A server that is newer than this client may have further ones. */
export type Reason = KnownReason | (string & {});

/** A field of the request that is wrong. */
export interface FieldViolation {
  /** Its path: `text`, `texts[3]`. */
  readonly field: string;
  readonly description: string;
}

export interface ErrorDetails {
  readonly reason?: Reason | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly cause?: unknown;
}

/** Why a call, or one text of it, has no answer. */
export class SentimentError extends Error {
  override readonly name = "SentimentError";
  readonly code: Code;
  /** undefined: gRPC itself says it, as of a server that cannot be reached. */
  readonly reason: Reason | undefined;
  /** When the server wants to be asked again; undefined: it does not say. */
  readonly retryAfterMs: number | undefined;
  readonly fieldViolations: readonly FieldViolation[];

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
    this.fieldViolations = details.fieldViolations ?? [];
  }
}
