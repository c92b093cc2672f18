import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorOf, errorOfReply } from "../../src/api/errors.ts";
import { refusal } from "../support/sentiments.ts";

describe("an error", () => {
  it("has the reason and the time of its details", () => {
    const error = errorOfReply(429, JSON.stringify(refusal(8, "RATE_LIMITED", "1.500s")), "2");
    assert.deepEqual(
      [error.reason, error.isRetryable, error.retryAfterMs, error.wantsKey],
      ["RATE_LIMITED", true, 1500, false],
    );
  });

  it("has the header's time where the details have none", () => {
    const error = errorOfReply(503, JSON.stringify(refusal(14, "SERVER_DOWN")), "7");
    assert.deepEqual([error.isRetryable, error.retryAfterMs], [true, 7000]);
  });

  it("of a proxy in between is retried by its status alone", () => {
    for (const [http, isRetryable] of [
      [502, true],
      [503, true],
      [429, true],
      [500, false],
      [404, false],
    ] as const) {
      const error = errorOfReply(http, "<html>nothing of ours</html>", null);
      assert.deepEqual([error.isRetryable, error.retryAfterMs], [isRetryable, undefined]);
      assert.match(error.message, new RegExp(String(http)));
    }
  });

  it("of something too large is not retried, though it is RESOURCE_EXHAUSTED", () => {
    const error = errorOf(refusal(8, "BODY_TOO_LARGE"));
    assert.deepEqual([error.isRetryable, error.isTooLarge], [false, true]);
  });

  it("of headers that are too large is not retried, nor asked in parts", () => {
    const error = errorOf(refusal(8, "METADATA_TOO_LARGE"));
    assert.deepEqual([error.isRetryable, error.isTooLarge], [false, false]);
  });

  it("of keys wants one", () => {
    for (const reason of ["KEY_MISSING", "KEY_UNKNOWN"])
      assert.ok(errorOf(refusal(16, reason)).wantsKey);
  });
});
