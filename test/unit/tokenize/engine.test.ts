import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type EngineFile, engineOf } from "../../../server/tokenize/engine.js";

const ADDED = {
  balanced: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
  accurate: ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"],
};
const AROUND = [
  "",
  "a",
  " good ",
  "\t",
  "!",
  "\u{1f600}",
  "M\u00e9",
  "[",
  "]",
  "<",
  "[mask]",
  "[CL",
];

const textsWith = (token: string): readonly string[] =>
  AROUND.flatMap((before) =>
    AROUND.flatMap((after) => [
      `${before}${token}${after}`,
      `${before}${token} x ${token}${after}`,
    ]),
  );

/** So many that the engine's own way is taken for all texts. */
const unused = Array.from({ length: 101 }, (_, place) => ({
  id: 999,
  content: `\u{13000}unused${place}`,
  special: true,
}));

describe("the tokenizer's engine", () => {
  for (const [tier, tokens] of Object.entries(ADDED)) {
    const path = `triton-model-repo/sentiment_${tier}/tokenizer.json`;
    const file = JSON.parse(readFileSync(path, "utf8"));
    const quick = engineOf(file);
    const slow = engineOf({
      ...file,
      added_tokens: [...file.added_tokens, ...unused],
    } as EngineFile);

    it(`reads texts the quick way as the other, with added tokens and without (${tier})`, () => {
      const texts = [...tokens, ""].flatMap(textsWith);
      for (const text of texts)
        assert.deepEqual(quick.encode(text, false), slow.encode(text, false), text);
    });

    it(`finds an added token between words (${tier})`, () => {
      const token = tokens.at(-1) ?? "";
      assert.deepEqual(quick.encode(`good${token}bad`, false), [
        ...quick.encode("good", false),
        quick.idOf(token),
        ...quick.encode("bad", false),
      ]);
    });
  }
});
