import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codePoints, cutter } from "../../src/text/code-points.ts";
import { heaviest, piecesOf } from "../../src/text/weights.ts";

describe("offsets in code points", () => {
  for (const [text, begin, end, part] of [
    ["I love it", 2, 6, "love"],
    ["\u{1F600} love it", 2, 6, "love"],
    ["\u{1F44D}\u{1F3FD} love", 0, 2, "\u{1F44D}\u{1F3FD}"],
    ["caf\u00e9 \u{1D400}bc", 5, 8, "\u{1D400}bc"],
    ["\u4f60\u597d", 1, 2, "\u597d"],
  ] as const)
    it(`cut ${JSON.stringify(part)} out of ${JSON.stringify(text)}`, () => {
      assert.equal(cutter(text)({ begin, end }), part);
      assert.equal(codePoints(text), [...text].length);
    });
});

describe("words by weight", () => {
  const text = "\u{1F600} love it, hate rain.";
  const words = [
    { begin: 10, end: 14, token: "hate", weight: -1 },
    { begin: 2, end: 6, token: "love", weight: 0.5 },
    { begin: 7, end: 9, token: "it,", weight: 0.02 },
  ];

  it("make up the whole text again, in its order", () => {
    const pieces = piecesOf(text, words);
    assert.equal(pieces.map((piece) => piece.text).join(""), text);
    assert.deepEqual(
      pieces.filter(({ weight }) => weight !== undefined).map((piece) => piece.level),
      [3, 0, -5],
    );
  });

  it("of a text where nothing matters are all light", () => {
    const [piece] = piecesOf("so so", [{ begin: 0, end: 2, token: "so", weight: 0.01 }]);
    assert.equal(piece?.level, 1);
    assert.deepEqual(
      piecesOf("so", []).map((one) => one.text),
      ["so"],
    );
    assert.deepEqual(piecesOf("", []), []);
  });

  it("are named from the heaviest on, without those that matter little", () => {
    assert.deepEqual(
      heaviest(words).map(({ token }) => token),
      ["hate", "love"],
    );
  });
});
