import assert from "node:assert/strict";
import { Status } from "nice-grpc-common";
import { outcomeOf, outcomeOfFailure, worstOf } from "../../chaos/check.js";

describe("outcomes under chaos", () => {
  it("an answer is right when label and score are the truth's", () => {
    const truth = { label: 3, score: 0.5 };
    assert.equal(outcomeOf({ label: 3, score: 0.500001 }, truth), "right");
    assert.equal(outcomeOf({ label: 3, score: 0.5001 }, truth), "wrong");
    assert.equal(outcomeOf({ label: 2, score: 0.5 }, truth), "wrong");
    assert.equal(outcomeOf({ label: 3, score: Number.NaN }, truth), "wrong");
    assert.equal(outcomeOf(truth, undefined), "wrong");
  });

  it("a refusal must say when to come again; all else is a failure", () => {
    const failure = { message: "", retryAfterSeconds: 100 };
    assert.equal(outcomeOfFailure({ ...failure, code: Status.RESOURCE_EXHAUSTED }), "refused");
    const silent = { code: Status.RESOURCE_EXHAUSTED, message: "", retryAfterSeconds: undefined };
    assert.equal(outcomeOfFailure(silent), "failed");
    for (const code of [Status.UNAVAILABLE, Status.INTERNAL, Status.DEADLINE_EXCEEDED])
      assert.equal(outcomeOfFailure({ ...failure, code }), "failed");
  });

  it("a call is as good as the worst of its texts", () => {
    assert.equal(worstOf(["right", "right"]), "right");
    assert.equal(worstOf(["right", "refused"]), "refused");
    assert.equal(worstOf(["failed", "refused"]), "failed");
    assert.equal(worstOf(["right", "failed", "wrong"]), "wrong");
    assert.equal(worstOf([]), "failed", "no text was answered");
  });
});
