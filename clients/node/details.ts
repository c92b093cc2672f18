import { ClientError, Status as Codes, type Metadata } from "nice-grpc-common";
import { BadRequest, ErrorInfo, RetryInfo } from "../../server/gen/google/rpc/error_details.js";
import { Status } from "../../server/gen/google/rpc/status.js";
import { type Code, type ErrorDetails, SentimentError } from "./errors.js";

const codeOf = (code: number): Code => {
  const name = Codes[code];
  return name === undefined || name === "OK" ? "UNKNOWN" : (name as Code);
};

/** Of a single text. */
export const textError = (status: Status): SentimentError =>
  new SentimentError(codeOf(status.code), status.message, detailsOf(status));

/** Of a call, with the trailer that came with it. What gRPC did not throw is passed on. */
export function callError(error: unknown, trailer: Metadata | undefined): unknown {
  if (!(error instanceof ClientError)) return error;
  const details = trailer?.get("grpc-status-details-bin");
  return new SentimentError(codeOf(error.code), plainly(error.details), {
    ...(details instanceof Uint8Array && decoded(details)),
    cause: error,
  });
}

/** As each of grpc-js's parts passes it on, its own words around it; what it was comes last. */
const NO_CONNECTION =
  /No connection established\. (?:.*Last error: )?(?:Error: )?(?<why>.*?)\.? Resolution note: .*$/s;

function plainly(details: string): string {
  const why = NO_CONNECTION.exec(details)?.groups?.["why"];
  return why === undefined
    ? details
    : `no server answers: ${why}. Is it running there, and do both sides speak TLS, or neither?`;
}

/** Details that cannot be read must not hide what they are the details of. */
function decoded(bytes: Uint8Array): ErrorDetails {
  try {
    return detailsOf(Status.decode(bytes));
  } catch {
    return {};
  }
}

function detailsOf({ details }: Status): ErrorDetails {
  const find = (name: string) =>
    details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${name}`))?.value;
  const info = find("ErrorInfo");
  const bad = find("BadRequest");
  const retry = find("RetryInfo");
  const delay = retry && RetryInfo.decode(retry).retryDelay;
  return {
    reason: info && ErrorInfo.decode(info).reason,
    retryAfterMs: delay && delay.seconds * 1000 + delay.nanos / 1e6,
    fieldViolations: bad
      ? BadRequest.decode(bad).fieldViolations.map(({ field, description }) => ({
          field,
          description,
        }))
      : [],
  };
}
