import { setOf } from "./code-points.js";

/**
 * How byte-level BPE (GPT-2, RoBERTa) cuts a text, exactly as the reference (Rust `tokenizers` 0.23.3) does. The pattern of
 * @huggingface/tokenizers 0.2.0 differs in two ways: JavaScript's `\s` holds U+FEFF, and its letters and numbers are those of
 * Unicode 17, the reference's of 16. The sets were found by asking the reference about every code point.
 */
const NO_LETTERS = setOf(`
  88f c5c cdc a7ce-a7cf a7d2 a7d4 a7f1 10940-10959 10ec5-10ec7 11db0-11ddb 16ea0-16eb8 16ebb-16ed3
  16ff2-16ff3 187f8-187ff 18d09-18d1e 18d80-18df2 1e6c0-1e6de 1e6e0-1e6e2 1e6e4-1e6e5 1e6e7-1e6ed
  1e6f0-1e6f4 1e6fe-1e6ff 2b73a-2b73f 2cea2-2cead 323b0-33479
`);
const NO_NUMBERS = setOf("11de0-11de9 16ff4-16ff6");

const LETTER = `[\\p{L}--[${NO_LETTERS}]]`;
const NUMBER = `[\\p{N}--[${NO_NUMBERS}]]`;
const SPACE = "\\p{White_Space}";

export const BYTE_LEVEL_PATTERN = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?${LETTER}+| ?${NUMBER}+| ?[^${SPACE}${LETTER}${NUMBER}]+|${SPACE}+(?![^${SPACE}])|${SPACE}+`,
  "gv",
);
