import assert from "node:assert/strict";
import fc from "fast-check";
import { withWordTable } from "../../../server/tokenize/word-table.js";

/** Ids by the letters, and which words were asked for. */
function codes() {
  const asked: string[] = [];
  const idsOf = (word: string) => {
    asked.push(word);
    return Array.from({ length: word.length }, (_, letter) => word.charCodeAt(letter));
  };
  return { asked, idsOf };
}

/** Of whole words. */
function wordTable(idsOf: (word: string) => readonly number[]) {
  const append = withWordTable(idsOf);
  return (words: readonly string[]) => {
    const ids: number[] = [];
    for (const word of words) append(word, 0, word.length, ids);
    return ids;
  };
}

describe("withWordTable", () => {
  it("asks for each word once, and gives the same ids again", () => {
    const { asked, idsOf } = codes();
    const cached = wordTable(idsOf);
    assert.deepEqual(cached(["ab", "c", "ab"]), [97, 98, 99, 97, 98]);
    assert.deepEqual(cached(["c", "ab"]), [99, 97, 98]);
    assert.deepEqual(asked, ["ab", "c"]);
  });

  it("takes a word that is a part of a text for the same word elsewhere", () => {
    const { asked, idsOf } = codes();
    const append = withWordTable(idsOf);
    const ids: number[] = [];
    append("abab", 0, 2, ids);
    append("xab", 1, 3, ids);
    append("xab", 0, 3, ids);
    append("ab", 0, 2, ids);
    assert.deepEqual(ids, idsOf("ababxabab"));
    assert.deepEqual(asked.slice(0, -1), ["ab", "xab"]);
  });

  it("gives nothing for no words, and for words that are no tokens", () => {
    const cached = wordTable(() => []);
    assert.deepEqual(cached([]), []);
    for (let round = 0; round < 2; round++) assert.deepEqual(cached(["a"]), []);
    assert.deepEqual(wordTable(() => [7])([""]), [7]);
  });

  it("keeps words of up to 60 letters, whose ids stand beside them", () => {
    const asked: string[] = [];
    const cached = wordTable((word) => {
      asked.push(word);
      return [2 ** 31 - 1];
    });
    const kept = ["a", "x".repeat(59), "x".repeat(60)];
    for (let round = 0; round < 2; round++)
      for (const word of kept) assert.deepEqual(cached([word]), [2 ** 31 - 1]);
    assert.deepEqual(asked, kept);
  });

  it("does not keep longer ones, nor those of many ids, and takes them for no others", () => {
    const asked: string[] = [];
    const cached = wordTable((word) => {
      asked.push(word);
      return Array.from({ length: word.length > 20 ? 1 : 30 }, () => word.length);
    });
    const long = "x".repeat(61);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(cached([long]), [61]);
      assert.deepEqual(cached(["abc"]), new Array(30).fill(3));
    }
    assert.deepEqual(asked, [long, "abc", long, "abc"]);
  });

  it("stays right when far more words come than it has places", () => {
    const cached = wordTable((word) => [Number(word), word.length]);
    for (let round = 0; round < 2; round++)
      for (let word = 0; word < 300_000; word++) {
        const ids = cached([String(word)]);
        // No deepEqual: it would take longer than all the rest.
        if (ids.length !== 2 || ids[0] !== word) assert.fail(`${word}: ${ids}`);
      }
  });

  it("is right for whatever words there are", () => {
    const unit = fc.oneof(fc.constantFrom("a", "b", "\0", "\ud800", "é", "好"), fc.string());
    const words = fc.array(fc.array(unit, { maxLength: 4 }).map((units) => units.join("")));
    const { idsOf } = codes();
    const cached = wordTable(idsOf);
    fc.assert(fc.property(words, (some) => assert.deepEqual(cached(some), some.flatMap(idsOf))));
  });

  it("takes words that are names of object properties", () => {
    const { idsOf } = codes();
    const cached = wordTable(idsOf);
    for (let round = 0; round < 2; round++)
      assert.deepEqual(cached(["constructor", "__proto__"]), idsOf("constructor__proto__"));
  });
});
