import { isAbortError } from "abort-controller-x";
import { ClientError, Metadata, Status } from "nice-grpc-common";
import { Status as StatusMessage } from "../../server/gen/google/rpc/status.js";
import { detailsOf } from "../support/status-details.js";
import type { Failure } from "./check.js";

/** What a client waits for an answer, all tries together. */
export const LIMIT_MS = 20_000;
const PREVIOUS_TRIES = "grpc-previous-rpc-attempts";
const DETAILS = "grpc-status-details-bin";

interface CallOptions {
  readonly signal: AbortSignal;
  readonly onHeader: (header: Metadata) => void;
  readonly onTrailer: (trailer: Metadata) => void;
}

/** How a call ended, and how often gRPC itself had to try again. */
export type Asked<Answer> = { readonly retries: number } & (
  | { readonly answer: Answer }
  | { readonly failure: Failure }
);

/** Makes a call, as long as it may take; never rejects. Unlike the tests' `outcomeOf` it takes errors of gRPC itself too, which have no details. */
export async function asked<Answer>(
  call: (options: CallOptions) => Promise<Answer>,
): Promise<Asked<Answer>> {
  let retries = 0;
  let trailer = Metadata();
  const count = (metadata: Metadata) => {
    retries = Math.max(retries, Number(metadata.get(PREVIOUS_TRIES) ?? 0));
  };
  const options: CallOptions = {
    signal: AbortSignal.timeout(LIMIT_MS),
    onHeader: count,
    onTrailer: (received) => {
      trailer = received;
      count(received);
    },
  };
  try {
    return { answer: await call(options), retries };
  } catch (error) {
    return { failure: failureOf(error, trailer), retries };
  }
}

function failureOf(error: unknown, trailer: Metadata): Failure {
  if (!(error instanceof ClientError)) {
    const isLate = isAbortError(error) || (error as Error).name === "TimeoutError";
    const message = isLate ? `no answer within ${LIMIT_MS / 1000} s` : String(error);
    return { code: Status.UNKNOWN, message, retryAfterSeconds: undefined };
  }
  const details = trailer.get(DETAILS);
  if (details instanceof Uint8Array) return failureIn(StatusMessage.decode(details));
  return { code: error.code, message: error.details, retryAfterSeconds: undefined };
}

/** Of a single text. */
export function failureIn(status: StatusMessage): Failure {
  const { code, message, retryAfterSeconds } = detailsOf(status);
  return { code, message, retryAfterSeconds };
}
