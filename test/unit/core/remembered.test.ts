import assert from "node:assert/strict";
import { remembered, repeated } from "../../../server/core/remembered.js";

/** Tells one from the next. */
function counting() {
  let made = 0;
  return (key: number | undefined) => `${key} ${++made}`;
}

describe("remembered", () => {
  it("makes each key's value once", () => {
    const of = remembered(counting());
    assert.deepEqual([1, 2, 1, 2].map(of), ["1 1", "2 2", "1 1", "2 2"]);
  });
});

describe("repeated", () => {
  it("makes a value anew for another key than the last", () => {
    const of = repeated(counting());
    assert.deepEqual([1, 1, 2, 2, 1].map(of), ["1 1", "1 1", "2 2", "2 2", "1 3"]);
  });

  it("has no last key at first", () => {
    const of = repeated(counting());
    assert.deepEqual([undefined, undefined].map(of), ["undefined 1", "undefined 1"]);
  });
});
