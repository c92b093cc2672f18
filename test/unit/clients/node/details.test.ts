import assert from "node:assert/strict";
import { ClientError, Status as Code, Metadata } from "nice-grpc-common";
import { callError, textError } from "../../../../clients/node/details.js";
import { type KnownReason, SentimentError } from "../../../../clients/node/errors.js";
import { type Reason, ServiceError } from "../../../../server/core/errors.js";
import { Status } from "../../../../server/gen/google/rpc/status.js";
import { statusOf } from "../../../../server/rpc/status.js";

/** Those that only calls of other services get. */
type Foreign =
  | "TENSOR_INVALID"
  | "MODEL_UNKNOWN"
  | "MODEL_UNUSABLE"
  | "PROFILE_UNWRITABLE"
  | "PROCESS_DOWN"
  | "CACHE_DOWN";
/** Does not compile once the server has a reason that the client does not name. */
const unnamed: readonly Exclude<Reason, Foreign | KnownReason>[] = [];

const status = statusOf(
  new ServiceError("RATE_LIMITED", "later", { retryAfterMs: 1250.5, field: "texts[3]" }),
  () => {},
  undefined,
);
const failed = new ClientError("/a/B", Code.RESOURCE_EXHAUSTED, "later");
const trailerOf = (details: Uint8Array) => Metadata({ "grpc-status-details-bin": details });
const shown = (error: unknown) => {
  assert.ok(error instanceof SentimentError);
  const { code, reason, message, retryAfterMs, fieldViolations } = error;
  return { code, reason, message, retryAfterMs, fieldViolations };
};
const ALL = {
  code: "RESOURCE_EXHAUSTED",
  reason: "RATE_LIMITED",
  message: "later",
  retryAfterMs: 1250.5,
  fieldViolations: [{ field: "texts[3]", description: "later" }],
};

describe("the details of an error", () => {
  it("are read of a call and of a text", () => {
    assert.deepEqual(unnamed, []);
    assert.deepEqual(shown(textError(status)), ALL);
    const error = callError(failed, trailerOf(Status.encode(status).finish()));
    assert.deepEqual(shown(error), ALL);
    assert.equal((error as Error).cause, failed);
  });

  it("may be missing, broken, or of a code that is new", () => {
    const bare = { ...ALL, reason: undefined, retryAfterMs: undefined, fieldViolations: [] };
    assert.deepEqual(shown(callError(failed, undefined)), bare);
    assert.deepEqual(shown(callError(failed, Metadata())), bare);
    assert.deepEqual(shown(callError(failed, trailerOf(Buffer.from([0x1a, 0x7f])))), bare);
    const strange = textError({ code: 77, message: "new", details: [] });
    assert.deepEqual([strange.code, strange.message], ["UNKNOWN", "new"]);
    const other = new Error("not of gRPC");
    assert.equal(callError(other, undefined), other);
  });
});
