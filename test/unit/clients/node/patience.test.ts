import assert from "node:assert/strict";
import { isAskedAgain, Patience } from "../../../../clients/node/asking/patience.js";
import { SentimentError } from "../../../../clients/node/errors.js";

const DOWN = new SentimentError("UNAVAILABLE", "nobody is there");

/** The caught error. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

describe("patience", () => {
  it("doubles its delays up to five seconds, and a fifth more at most", () => {
    const patience = new Patience({}, () => 0);
    for (const [tries, leastMs] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [6, 3200],
      [7, 5000],
      [500, 5000],
    ] as const) {
      const delayMs = patience.delayMs(DOWN, tries);
      assert.ok(delayMs >= leastMs && delayMs <= leastMs * 1.2, `${tries}: ${delayMs}`);
    }
  });

  it("waits as long as the server wants, and tells of it", () => {
    const told: unknown[] = [];
    const onRetry = (...what: unknown[]) => told.push(what);
    const patience = new Patience({ onRetry }, () => 0);
    const busy = new SentimentError("RESOURCE_EXHAUSTED", "busy", { retryAfterMs: 7000 });
    const delayMs = patience.delayMs(busy, 1);
    assert.ok(delayMs >= 7000 && delayMs <= 8400);
    assert.deepEqual(told, [[busy, delayMs]]);
  });

  it("gives up when the next try would be too late, counted from the first failure after an answer", () => {
    let nowMs = 1_000_000;
    const patience = new Patience({ giveUpMs: 1000 }, () => nowMs);
    patience.delayMs(DOWN, 1);
    nowMs += 800;
    patience.delayMs(DOWN, 1);
    nowMs += 150;
    const gaveUp = thrownBy(() => patience.delayMs(DOWN, 1));
    assert.ok(gaveUp instanceof SentimentError);
    assert.equal(gaveUp.message, "no answer within 1 s; the last failure: nobody is there");
    assert.equal(isAskedAgain(gaveUp), false);
    patience.answered();
    assert.ok(patience.delayMs(DOWN, 1) > 0);
    const later = new SentimentError("RESOURCE_EXHAUSTED", "busy", { retryAfterMs: 1001 });
    assert.ok(thrownBy(() => patience.delayMs(later, 1)) instanceof SentimentError);
  });

  it("is for what may be mended by waiting", () => {
    assert.equal(isAskedAgain(DOWN), true);
    assert.equal(isAskedAgain(new SentimentError("RESOURCE_EXHAUSTED", "busy")), true);
    for (const code of ["INTERNAL", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "CANCELLED"] as const)
      assert.equal(isAskedAgain(new SentimentError(code, "no")), false);
    assert.equal(isAskedAgain(new Error("UNAVAILABLE")), false);
  });
});
