import assert from "node:assert/strict";
import fc from "fast-check";
import { tooLate } from "../../../server/batch/admission.js";
import { type Backlog, waitOf } from "../../../server/batch/load.js";

const tokens = fc.nat(100_000);
const rate = fc.option(fc.double({ min: 0, max: 10, noNaN: true }), { nil: undefined });
const backlog = fc.record({
  aheadTokens: tokens,
  runningTokens: tokens,
  ownTokens: tokens,
  concurrency: fc.integer({ min: 1, max: 64 }),
  msPerToken: rate,
  drainMsPerToken: rate,
});
const MORE: readonly (keyof Backlog)[] = ["aheadTokens", "runningTokens", "ownTokens"];

describe("admission", () => {
  it("expects a finite wait, never less than none, and no less of it where more waits", () => {
    fc.assert(
      fc.property(backlog, fc.constantFrom(...MORE), tokens, (now, name, more) => {
        const waitMs = waitOf(now);
        assert.ok(waitMs >= 0 && Number.isFinite(waitMs));
        assert.ok(waitOf({ ...now, [name]: (now[name] ?? 0) + more }) >= waitMs);
        assert.ok(waitOf({ ...now, concurrency: now.concurrency + 1 }) <= waitMs);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("refuses what would be late and nothing else, and names a time when it would not be", () => {
    const ms = fc.double({ min: -10_000, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(ms, ms, (waitMs, mayWaitMs) => {
        const refusal = tooLate(waitMs, mayWaitMs);
        assert.equal(refusal === undefined, waitMs <= mayWaitMs);
        if (refusal === undefined) return;
        assert.equal(refusal.reason, "OVERLOADED");
        const retryMs = refusal.hints.retryAfterMs ?? Number.NaN;
        assert.ok(retryMs >= 100 && Number.isInteger(retryMs));
        // By then so much has been done.
        assert.ok(waitMs - retryMs <= Math.max(0, mayWaitMs));
        assert.doesNotMatch(refusal.message, /-\d|NaN|Infinity/);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
