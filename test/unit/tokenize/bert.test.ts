import assert from "node:assert/strict";
import fc from "fast-check";
import { bertPreTokenizer, eachAsciiWord } from "../../../server/tokenize/bert.js";

function wordsOf(text: string): string[] {
  const words: string[] = [];
  eachAsciiWord(text, (begin, end) => words.push(text.slice(begin, end)));
  return words;
}

const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, code) =>
  String.fromCharCode(0x20 + code),
);

describe("eachAsciiWord", () => {
  it("cuts words as the pattern does, whatever stands beside what", () => {
    for (const one of PRINTABLE)
      for (const other of PRINTABLE)
        for (const text of [one + other, `a${one}${other}b`, ` ${one} ${other} `])
          assert.deepEqual(wordsOf(text), bertPreTokenizer(text));
  });

  it("cuts words as the pattern does in whatever text there is", () => {
    const text = fc.string({ unit: fc.constantFrom(...PRINTABLE) });
    fc.assert(fc.property(text, (some) => assert.deepEqual(wordsOf(some), bertPreTokenizer(some))));
  });
});
