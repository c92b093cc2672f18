import assert from "node:assert/strict";
import { stuckAfter } from "../../../server/core/watchdog.js";

describe("stuckAfter", () => {
  it("says so after that many looks in a row without a beat", () => {
    const isStuck = stuckAfter(3);
    const beats = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
    assert.deepEqual(beats.map(isStuck), [...Array(9).fill(false), true]);
  });

  it("takes any other number for a beat: the counter may wrap", () => {
    const isStuck = stuckAfter(1);
    assert.deepEqual([2 ** 31 - 1, -(2 ** 31), -(2 ** 31)].map(isStuck), [false, false, true]);
  });
});
