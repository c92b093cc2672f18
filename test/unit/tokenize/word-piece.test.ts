import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Tokenizer as Engine } from "@huggingface/tokenizers";
import type { EncodeWords } from "../../../server/tokenize/word-cache.js";
import { wordPiece } from "../../../server/tokenize/word-piece.js";
import { seeded } from "../seeded.js";

const FILE = JSON.parse(readFileSync("triton-model-repo/sentiment_fast/tokenizer.json", "utf8"));
const SECTION = {
  vocab: { "[UNK]": 0, un: 1, u: 2, "##able": 3, "##a": 4, "##b": 5, "😀": 6, "##😀": 7 },
  unk_token: "[UNK]",
  continuing_subword_prefix: "##",
};

describe("wordPiece", () => {
  it("takes the longest piece first, and no part of a word that has an unknown end", () => {
    const encode = wordPiece(SECTION);
    assert.deepEqual(encode(["unable", "uab", "😀😀", "unx", "", "x"]), [
      ...["un", "##able"],
      ...["u", "##a", "##b"],
      ...["😀", "##😀"],
      "[UNK]",
      "[UNK]",
    ]);
  });

  it("takes words of too many letters for unknown, however many units they have", () => {
    const encode = wordPiece({ ...SECTION, max_input_chars_per_word: 3 });
    assert.deepEqual(encode(["😀😀😀", "😀😀😀😀"]), ["😀", "##😀", "##😀", "[UNK]"]);
  });

  it("does what the engine does, with words of any length", () => {
    const { model } = new Engine(FILE, {}) as unknown as { model: { encode: EncodeWords } };
    const encode = wordPiece(FILE.model);
    const draw = seeded(7);
    const letters = [..."etaoinsr", ..."zqxjkvbp", ..."0１éßя很ก", "\u0301", "😀", "𝒳", "#"];
    const kinds = [8, 16, letters.length];
    const words = Array.from({ length: 1000 }, () => {
      const kind = kinds[draw(0, 2)] ?? 8;
      const length = draw(0, 4) === 0 ? draw(90, 105) : draw(1, 30);
      return Array.from({ length }, () => letters[draw(0, kind - 1)]).join("");
    });
    for (const word of words) assert.deepEqual(encode([word]), model.encode([word]), word);
  });
});
