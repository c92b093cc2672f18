import { msOf } from "./duration.ts";
import type { Status } from "./messages.ts";

/** RESOURCE_EXHAUSTED and UNAVAILABLE. */
const RETRYABLE_CODES = [8, 14];
const RETRYABLE_STATUS = [429, 502, 503];
/** They are RESOURCE_EXHAUSTED too, but stay too large. */
const TOO_LARGE = ["BODY_TOO_LARGE", "BATCH_TOO_LARGE"];
/** What no other try mends, in smaller parts or as it is. */
const FINAL = [...TOO_LARGE, "METADATA_TOO_LARGE"];

/** A call, or one text of a batch, that was not answered. */
export class AskError extends Error {
  /** As TEXT_EMPTY; "" where there is none; UNREACHABLE: there was no answer at all. */
  readonly reason: string;
  /** Whether it may be answered when it is asked again. */
  readonly isRetryable: boolean;
  /** When to ask again; undefined: nobody said. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, reason: string, isRetryable = false, retryAfterMs?: number) {
    super(message);
    this.reason = reason;
    this.isRetryable = isRetryable;
    this.retryAfterMs = retryAfterMs;
  }

  /** It would be answered in smaller parts. */
  get isTooLarge(): boolean {
    return TOO_LARGE.includes(this.reason);
  }

  get wantsKey(): boolean {
    return this.reason === "KEY_MISSING" || this.reason === "KEY_UNKNOWN";
  }
}

/** Of a reply that is no 2xx: its body is a Status, or, from a proxy in between, anything. `retryAfter`: the header, in seconds. */
export function errorOfReply(http: number, body: string, retryAfter: string | null): AskError {
  const status = parsed(body);
  if (status === undefined) {
    const isRetryable = RETRYABLE_STATUS.includes(http);
    return new AskError(`The bridge answered ${http}.`, "", isRetryable, secondsOf(retryAfter));
  }
  const error = errorOf(status);
  const delay = error.retryAfterMs ?? secondsOf(retryAfter);
  return new AskError(error.message, error.reason, error.isRetryable, delay);
}

/** Of one text of a batch, or of a call. */
export function errorOf({ code, message, details = [] }: Status): AskError {
  const reason = details.find((detail) => detail.reason !== undefined)?.reason ?? "";
  const delay = details.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const isRetryable = RETRYABLE_CODES.includes(code) && !FINAL.includes(reason);
  return new AskError(message, reason, isRetryable, delay === undefined ? undefined : msOf(delay));
}

function parsed(body: string): Status | undefined {
  try {
    const value = JSON.parse(body);
    return typeof value?.message === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function secondsOf(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
