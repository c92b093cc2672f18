import assert from "node:assert/strict";
import { ClientError, type Status as Code, Metadata } from "nice-grpc-common";
import { BadRequest, ErrorInfo, RetryInfo } from "../../server/gen/google/rpc/error_details.js";
import { Status } from "../../server/gen/google/rpc/status.js";

export interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly fields: readonly string[];
  readonly retryAfterSeconds: number | undefined;
}

/** The details of a status, decoded. */
export function detailsOf({ code, message, details }: Status): Failure {
  const find = (name: string) =>
    details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${name}`)?.value;
  const info = find("ErrorInfo");
  const bad = find("BadRequest");
  const retry = find("RetryInfo");
  return {
    code,
    message,
    reason: info && ErrorInfo.decode(info).reason,
    domain: info && ErrorInfo.decode(info).domain,
    fields: bad ? BadRequest.decode(bad).fieldViolations.map(({ field }) => field) : [],
    retryAfterSeconds: retry && RetryInfo.decode(retry).retryDelay?.seconds,
  };
}

type Call<Answer> = (options: { onTrailer: (trailer: Metadata) => void }) => Promise<Answer>;

/** What became of a call. It must get the options, so that the trailer is seen. */
export async function outcomeOf<Answer>(
  call: Call<Answer>,
): Promise<{ readonly answer: Answer } | { readonly failure: Failure }> {
  let trailer = Metadata();
  const onTrailer = (received: Metadata) => {
    trailer = received;
  };
  try {
    return { answer: await call({ onTrailer }) };
  } catch (error) {
    assert.ok(error instanceof ClientError, String(error));
    const details = trailer.get("grpc-status-details-bin");
    assert.ok(details instanceof Uint8Array, `no status details: ${error.message}`);
    const failure = detailsOf(Status.decode(details));
    assert.equal(failure.code, error.code);
    assert.equal(failure.message, error.details);
    return { failure };
  }
}

/** How a call failed. */
export async function failureOf(call: Call<unknown>): Promise<Failure> {
  const outcome = await outcomeOf(call);
  return "failure" in outcome ? outcome.failure : assert.fail("the call was answered");
}
