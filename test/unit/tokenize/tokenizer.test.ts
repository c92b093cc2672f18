import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartupError } from "../../../server/core/errors.js";
import { loadTokenizer, type Tokenizer } from "../../../server/tokenize/tokenizer.js";
import { readParity } from "../../support/parity.js";
import { specialToken } from "../../support/special-token.js";

const PATH = "triton-model-repo/sentiment_balanced/tokenizer.json";

/** What make.py writes, in its order: a category must not vanish from the fixture unseen. */
const CATEGORIES = `
  english emoji emoji-words emoji-sequences cjk cjk-extensions cjk-compatibility kana hangul accents-composed
  accents-decomposed marks-stacked marks-new arabic hebrew bidi-controls right-to-left indic
  thai-and-neighbours cyrillic other-scripts greek turkish sharp-s ligatures special-casing
  fullwidth mathematical controls zero-width spaces nul replacement-character private-use
  noncharacters unassigned long-words-astral long-words urls emails html code hashtags mentions
  numbers contractions punctuation punctuation-new lines-and-tabs mixed-scripts random
  special-tokens ten-thousand-characters blank
`;

describe("tokenizer", function () {
  this.timeout(20_000);
  let tokenizer: Tokenizer;
  let folder: string;
  before(async () => {
    tokenizer = await loadTokenizer(PATH);
    folder = await mkdtemp(join(tmpdir(), "sentiment-tokenizer-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** Loads a tokenizer.json with this content. */
  const loadText = async (text: string) => {
    const path = join(folder, "tokenizer.json");
    await writeFile(path, text);
    return loadTokenizer(path);
  };

  for (const tier of ["balanced", "accurate"] as const) {
    it(`gives the ids of the reference for every text of the fixture (${tier})`, async () => {
      const read = await loadTokenizer(`triton-model-repo/sentiment_${tier}/tokenizer.json`);
      const expected = await readParity();
      assert.ok(expected.length >= 5000);
      const categories = [...new Set(expected.map(({ category }) => category))];
      assert.deepEqual(categories, CATEGORIES.trim().split(/\s+/));
      const wrong = expected.filter(
        ({ text, ids }) => JSON.stringify(read.encode(text)) !== JSON.stringify(ids[tier]),
      );
      const first = wrong.slice(0, 5).map(({ category, text, ids }) => ({
        category,
        text: text.slice(0, 80),
        expected: ids[tier].slice(0, 40),
        actual: read.encode(text).slice(0, 40),
      }));
      assert.equal(wrong.length, 0, `${wrong.length} differ: ${JSON.stringify(first, null, 1)}`);
    });
  }

  it("serves fast and balanced with the same file", async () => {
    const fast = await loadTokenizer("triton-model-repo/sentiment_fast/tokenizer.json");
    assert.equal(fast.digest, tokenizer.digest);
  });

  it("finds the special tokens and the padding of the file", async () => {
    assert.deepEqual(tokenizer.prefix, [101]);
    assert.deepEqual(tokenizer.suffix, [102]);
    assert.equal(tokenizer.padId, 0);
    const mpnet = await loadTokenizer("triton-model-repo/sentiment_accurate/tokenizer.json");
    assert.deepEqual([mpnet.prefix, mpnet.suffix, mpnet.padId], [[0], [2], 1]);
    assert.deepEqual([tokenizer.unknownId, mpnet.unknownId], [100, 104]);
    assert.deepEqual(tokenizer.encode("\u{13080}"), [100]);
    const digest = createHash("sha256")
      .update(await readFile(PATH))
      .digest("hex");
    assert.equal(tokenizer.digest, digest);
  });

  it("reads a lone surrogate as the replacement character", () => {
    for (const broken of ["\ud800", "a\udfffb", "\ud83d \ude00", "good \ud83d"]) {
      assert.deepEqual(
        tokenizer.encode(broken),
        tokenizer.encode(broken.replace(/\p{Surrogate}/gu, "\ufffd")),
      );
    }
  });

  it("pays no heed to truncation and padding in the file", async () => {
    const file = JSON.parse(await readFile(PATH, "utf8"));
    file.truncation = { direction: "Right", max_length: 4, strategy: "LongestFirst", stride: 0 };
    file.padding = {
      strategy: { Fixed: 128 },
      direction: "Right",
      pad_to_multiple_of: null,
      pad_id: 7,
      pad_type_id: 0,
      pad_token: "[PAD]",
    };
    const loaded = await loadText(JSON.stringify(file));
    const text = "a text of more than four tokens";
    assert.deepEqual(loaded.encode(text), tokenizer.encode(text));
    assert.equal(loaded.padId, 7);
  });

  it("loads a byte-level tokenizer with other special tokens", async () => {
    const loaded = await loadText(
      JSON.stringify({
        version: "1.0",
        truncation: null,
        padding: null,
        added_tokens: [specialToken(0, "<s>"), specialToken(1, "<pad>"), specialToken(2, "</s>")],
        normalizer: null,
        pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
        post_processor: {
          type: "RobertaProcessing",
          sep: ["</s>", 2],
          cls: ["<s>", 0],
          trim_offsets: true,
          add_prefix_space: false,
        },
        decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true },
        model: {
          type: "BPE",
          dropout: null,
          unk_token: null,
          continuing_subword_prefix: "",
          end_of_word_suffix: "",
          fuse_unk: false,
          vocab: { "<s>": 0, "<pad>": 1, "</s>": 2, a: 3, b: 4, ab: 5, Ġ: 6, Ġab: 7 },
          merges: ["a b", "Ġ ab"],
        },
      }),
    );
    assert.deepEqual([loaded.prefix, loaded.suffix, loaded.padId], [[0], [2], 1]);
    assert.deepEqual(loaded.encode("ab ab"), [5, 7]);
    assert.deepEqual(loaded.encode("ab ab"), [5, 7]);
  });

  it("names a file that is missing, no JSON, or no tokenizer", async () => {
    await assert.rejects(loadTokenizer("no-such-folder/tokenizer.json"), (error) => {
      assert.ok(error instanceof StartupError);
      assert.match(
        error.message,
        /^no-such-folder\/tokenizer\.json cannot be read .*add the model's/,
      );
      return true;
    });
    for (const text of ['{"model": ', "{}", "[]", '"text"', "null"]) {
      await assert.rejects(loadText(text), (error) => {
        assert.ok(error instanceof StartupError, String(error));
        assert.match(error.message, /tokenizer\.json is not a tokenizer .*belongs to the model$/s);
        return true;
      });
    }
  });
});
