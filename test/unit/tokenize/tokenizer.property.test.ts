import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../../../server/core/errors.js";
import { loadTokenizer, type Tokenizer } from "../../../server/tokenize/tokenizer.js";
import { mutatedJson, mutatedText } from "../../support/mutate-text.js";
import { type ScratchFolder, scratchFolder } from "../../support/scratch-folder.js";
import { specialToken } from "../../support/special-token.js";
import { seeded } from "../seeded.js";

const piece = (name: "Sequence" | "SpecialToken", id: string) => ({ [name]: { id, type_id: 0 } });

/** As small as one of the committed kind can be. */
const SMALL = JSON.stringify({
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [
    specialToken(0, "[PAD]"),
    specialToken(1, "[UNK]"),
    specialToken(2, "[CLS]"),
    specialToken(3, "[SEP]"),
  ],
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      piece("SpecialToken", "[CLS]"),
      piece("Sequence", "A"),
      piece("SpecialToken", "[SEP]"),
    ],
    pair: [],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
    },
  },
  decoder: null,
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, a: 4, b: 5, "##b": 6, "!": 7 },
  },
});
const ROUNDS = 600;
const TEXTS = ["a", "ab b!", "Żółw 😀 好", "\0 \ud800", "x".repeat(300)];
const idsOf = ({ prefix, suffix, padId, encode }: Tokenizer): readonly unknown[] => [
  ...prefix,
  ...suffix,
  padId,
  ...TEXTS.flatMap(encode),
];
const isId = (id: unknown) => Number.isInteger(id) && Number(id) >= 0;

describe("a tokenizer.json that holds anything", function () {
  this.timeout(30_000);
  let scratch: ScratchFolder;
  let path: string;
  before(async () => {
    scratch = await scratchFolder();
    path = join(scratch.path, "tokenizer.json");
  });
  after(() => scratch[Symbol.asyncDispose]());

  /** The tokenizer, or undefined where a person is told what is wrong. Fails for any other error. */
  async function load(text: string): Promise<Tokenizer | undefined> {
    await writeFile(path, text);
    try {
      return await loadTokenizer(path);
    } catch (error) {
      assert.ok(error instanceof StartupError, String(error));
      assert.ok(error.message.startsWith(path), error.message);
      return undefined;
    }
  }

  /** How many of the files are a tokenizer; each one of those reads every text. */
  async function goodOf(mutated: typeof mutatedText): Promise<number> {
    const draw = seeded(1);
    let good = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const text = mutated(SMALL, draw);
      const tokenizer = await load(text);
      if (tokenizer === undefined) continue;
      assert.ok(idsOf(tokenizer).every(isId), text);
      good++;
    }
    return good;
  }

  for (const [what, mutated] of [
    ["values", mutatedJson],
    ["characters", mutatedText],
  ] as const) {
    it(`is a fault, or a tokenizer that reads every text, whatever ${what} are others`, async () => {
      const good = await goodOf(mutated);
      assert.ok(good > 20 && good < ROUNDS - 20, `${good} of ${ROUNDS}`);
    });
  }

  it("is a fault where it is nested without end, or as large as a film", async () => {
    assert.equal(await load('{"model":'.repeat(200_000)), undefined);
    assert.equal(await load(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), undefined);
    await truncate(path, 2 ** 33);
    await assert.rejects(loadTokenizer(path), /it is over 256 MiB/);
  });
});
