import assert from "node:assert/strict";
import { BYTE_LEVEL_PATTERN } from "../../../server/tokenize/byte-level.js";

const cut = (text: string) => text.match(BYTE_LEVEL_PATTERN) ?? [];

describe("BYTE_LEVEL_PATTERN", () => {
  it("cuts words with their space, numbers, contractions and punctuation as GPT-2 does", () => {
    assert.deepEqual(cut("I don't like  2 of them!! \n"), [
      ..."I| don|'t| like| | 2| of| them|!!| \n".split("|"),
    ]);
  });

  it("loses nothing", () => {
    for (const text of ["", " ", "\u{3000}x", "a\u{FEFF}b", "😀 中文\t1½", "\u{16FF3}\u{323B0}"])
      assert.equal(cut(text).join(""), text);
  });

  it("takes U+FEFF for no white space, as the reference does", () => {
    assert.deepEqual(cut("a \u{FEFF}b"), ["a", " \u{FEFF}", "b"]);
    assert.deepEqual(cut("\u{FEFF}a"), ["\u{FEFF}", "a"]);
  });

  it("takes the letters and numbers of Unicode 17 for neither, as the reference does", () => {
    for (const newer of ["\u{88F}", "\u{A7CE}", "\u{16FF3}", "\u{323B0}"])
      assert.deepEqual(cut(`a${newer}a`), ["a", newer, "a"]);
    assert.deepEqual(cut("1\u{11DE0}1"), ["1", "\u{11DE0}", "1"]);
  });
});
