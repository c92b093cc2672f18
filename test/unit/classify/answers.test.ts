import assert from "node:assert/strict";
import { groupsOf } from "../../../server/classify/answers.js";

const MOST_TOKENS = 16_384;
const itself = (tokens: number) => tokens;

describe("groupsOf", () => {
  it("puts as many items together as there may be", () => {
    assert.deepEqual(groupsOf([1, 2, 3, 4, 5], 2, itself), [[1, 2], [3, 4], [5]]);
    assert.deepEqual(groupsOf([], 2, itself), []);
  });

  it("and as many as their tokens allow, in their order", () => {
    const half = MOST_TOKENS / 2;
    assert.deepEqual(groupsOf([half, half, 1, half, half], 9, itself), [
      [half, half],
      [1, half],
      [half],
    ]);
  });

  it("leaves what is too much by itself alone", () => {
    const much = MOST_TOKENS + 1;
    assert.deepEqual(groupsOf([1, much, much, 2], 9, itself), [[1], [much], [much], [2]]);
  });
});
