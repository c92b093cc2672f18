import assert from "node:assert/strict";
import { withWordCache } from "../../../server/tokenize/word-cache.js";

/** Splits words into letters and notes which it was asked for. */
function letters() {
  const asked: string[] = [];
  const encode = (words: string[]) => {
    asked.push(...words);
    return words.flatMap((word) => [...word]);
  };
  return { asked, encode };
}

describe("withWordCache", () => {
  it("asks for each word once, and gives the same tokens again", () => {
    const { asked, encode } = letters();
    const cached = withWordCache(encode);
    assert.deepEqual(cached(["ab", "c", "ab"]), ["a", "b", "c", "a", "b"]);
    assert.deepEqual(cached(["c", "ab"]), ["c", "a", "b"]);
    assert.deepEqual(asked, ["ab", "c"]);
  });

  it("forgets at its limit, and stays right", () => {
    const { asked, encode } = letters();
    const cached = withWordCache(encode, 2);
    for (let round = 0; round < 3; round++) {
      for (const word of ["ab", "cd", "ef", "gh"]) assert.deepEqual(cached([word]), [...word]);
    }
    assert.equal(asked.length, 12);
  });

  it("does not keep long words", () => {
    const { asked, encode } = letters();
    const cached = withWordCache(encode);
    const word = "x".repeat(25);
    cached([word]);
    cached([word]);
    assert.equal(asked.length, 2);
  });

  it("takes words that are names of object properties", () => {
    const { encode } = letters();
    const cached = withWordCache(encode);
    assert.deepEqual(cached(["constructor", "__proto__"]), [..."constructor__proto__"]);
  });
});
