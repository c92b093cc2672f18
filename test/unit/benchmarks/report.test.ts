import assert from "node:assert/strict";
import { isKept } from "../../../benchmarks/report.js";

describe("what a benchmark's number must keep to", () => {
  it("is kept by the median of its rounds", () => {
    assert.ok(isKept([0.8, 0.9, 1], { atLeast: 0.9 }));
    assert.ok(!isKept([0.8, 0.89, 1], { atLeast: 0.9 }));
    assert.ok(isKept([9, 10, 100], { atMost: 10 }));
    assert.ok(!isKept([9, 11, 12], { atMost: 10 }));
  });

  it("is kept in each round where that is wanted", () => {
    assert.ok(!isKept([0, 0, 1], { atMost: 0, always: true }));
    assert.ok(isKept([0, 0, 0], { atMost: 0, always: true }));
    assert.ok(!isKept([0.96, 1, 1], { atLeast: 0.97, always: true }));
  });

  it("is not kept by what was not measured", () => {
    assert.ok(!isKept([], { atMost: 10 }));
    assert.ok(!isKept([], { atMost: 10, always: true }));
    assert.ok(!isKept([Number.NaN], { atMost: 10 }));
    assert.ok(!isKept([1, Number.NaN, 1], { atLeast: 0, always: true }));
  });
});
