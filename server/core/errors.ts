/** Why a call, or one text of it, got no answer. The words stand in ErrorInfo.reason: clients switch on them. */
export type Reason =
  | "TEXT_EMPTY"
  | "TEXT_TOO_LONG"
  | "TEXT_NOT_UTF8"
  | "TIER_UNKNOWN"
  | "OPTION_UNKNOWN"
  | "BATCH_EMPTY"
  | "BATCH_TOO_LARGE"
  | "ID_TOO_LONG"
  | "KEY_MISSING"
  | "KEY_UNKNOWN"
  | "NOT_ALLOWED"
  | "TENSOR_INVALID"
  | "MODEL_UNKNOWN"
  | "MODEL_UNUSABLE"
  | "NOT_IMPLEMENTED"
  | "PROFILE_UNWRITABLE"
  | "METADATA_TOO_LARGE"
  | "OVERLOADED"
  | "RATE_LIMITED"
  | "DEADLINE"
  | "BACKEND_DOWN"
  | "DRAINING"
  | "PROCESS_DOWN"
  | "CACHE_DOWN"
  | "BUG";

export interface ErrorHints {
  /** The request's field that is wrong, as a path: `text`, `texts[3]`. */
  readonly field?: string;
  /** When another try makes sense. */
  readonly retryAfterMs?: number;
  /** The quota that is used up. `subject`: whose, as in `key:team-a`. */
  readonly quota?: { readonly subject: string; readonly tokensPerMinute: number };
  /** For the log, never for the client. */
  readonly cause?: unknown;
}

/** An error that the client may read: the message says what to do. Everything else is a bug of ours and stays in the log. It has no stack: nobody reads it, and under overload stacks took a sixth of the time of refusing. */
export class ServiceError extends Error {
  readonly reason: Reason;
  readonly hints: ErrorHints;

  constructor(reason: Reason, message: string, hints: ErrorHints = {}) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, { cause: hints.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = "ServiceError";
    this.reason = reason;
    this.hints = hints;
  }
}

/** The server cannot start: the message names the setting or the file, and the mend. */
export class StartupError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StartupError";
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
