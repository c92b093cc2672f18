import assert from "node:assert/strict";
import { type Called, summaryOf } from "../../chaos/summary.js";

const call = (sentMs: number, tookMs: number, more: Partial<Called> = {}): Called => ({
  sentMs,
  tookMs,
  outcome: "right",
  retries: 0,
  detail: "",
  ...more,
});

describe("summaryOf", () => {
  it("counts outcomes, retries, faults, and what failed", () => {
    const calls = [
      call(0, 1),
      call(0, 1, { outcome: "failed", detail: "UNAVAILABLE: gone" }),
      call(0, 1, { outcome: "failed", detail: "UNAVAILABLE: gone", retries: 4 }),
      call(0, 1, { outcome: "refused", retries: 1 }),
    ];
    const struck = ["redis killed", "redis killed", "triton frozen"].map((name) => ({
      name,
      fromMs: 100,
      toMs: 200,
    }));
    const { outcomes, retries, faults, details } = summaryOf(calls, struck);
    assert.deepEqual(outcomes, { right: 1, wrong: 0, refused: 1, failed: 2 });
    assert.equal(retries, 5);
    assert.deepEqual(faults, { "redis killed": 2, "triton frozen": 1 });
    assert.deepEqual(details, { "UNAVAILABLE: gone": 2 });
  });

  it("tells the times of calls that a fault fell into from those of the others", () => {
    const calls = [call(0, 10), call(90, 20), call(150, 300), call(199, 1), call(201, 40)];
    const { quiet, faulty } = summaryOf(calls, [{ name: "one", fromMs: 100, toMs: 200 }]);
    assert.deepEqual([quiet.calls, quiet.most], [2, 40]);
    assert.deepEqual([faulty.calls, faulty.p50, faulty.most], [3, 20, 300]);
  });
});
