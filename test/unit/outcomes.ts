import assert from "node:assert/strict";
import { type Reason, ServiceError } from "../../server/core/errors.js";

/** What an outcome brought; fails where it was rejected. */
export function resultOf<T>(outcome: PromiseSettledResult<T> | undefined): T {
  assert.equal(
    outcome?.status,
    "fulfilled",
    String(outcome?.status === "rejected" && outcome.reason),
  );
  return (outcome as PromiseFulfilledResult<T>).value;
}

/** What an outcome was rejected with. */
export function reasonOf(outcome: PromiseSettledResult<unknown> | undefined): unknown {
  assert.equal(outcome?.status, "rejected");
  return (outcome as PromiseRejectedResult).reason;
}

/** For assert.throws and assert.rejects: exactly this ServiceError. */
export const serviceError =
  (reason: Reason, message: string, hints: object = {}) =>
  (error: unknown): true => {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.reason, reason);
    assert.equal(error.message, message);
    assert.deepEqual(error.hints, hints);
    return true;
  };
