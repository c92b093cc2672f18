import assert from "node:assert/strict";
import {
  type EngineNormalizer,
  type NormalizerSection,
  normalizerOf,
} from "../../../server/tokenize/normalizer.js";
import { recorder } from "../../support/recorder.js";
import { type Draw, seeded } from "../seeded.js";

type Pair = readonly [character: string, content: string];

const replace = (character: string, content: string): NormalizerSection => ({
  type: "Replace",
  pattern: { String: character },
  content,
});
const sequence = (...normalizers: NormalizerSection[]): NormalizerSection => ({
  type: "Sequence",
  normalizers,
});
const replaces = (pairs: readonly Pair[]) => sequence(...pairs.map((pair) => replace(...pair)));

/** An engine that must not be asked. */
const noEngine: EngineNormalizer = () => assert.fail("the engine was asked");
/** An engine's sequence; only its steps may be asked. */
const engineOf = (...normalizers: EngineNormalizer[]): EngineNormalizer =>
  Object.assign(() => assert.fail("the engine's whole sequence was asked"), { normalizers });

/** What the steps mean: each goes through the whole text, one after the other. */
const oneAfterAnother = (text: string, pairs: readonly Pair[]) =>
  pairs.reduce((result, [from, to]) => result.split(from).join(to), text);

function randomOf(draw: Draw, alphabet: readonly string[], most: number): string {
  const length = draw(0, most);
  return Array.from({ length }, () => alphabet[draw(0, alphabet.length - 1)]).join("");
}

describe("normalizerOf", () => {
  const emoji: readonly Pair[] = [
    ["😀", " grinning face "],
    ["👍", " thumbs up "],
    ["❤", " red heart "],
    ["\ufe0f", ""],
  ];

  it("puts words in the place of single characters", () => {
    const normalize = normalizerOf(replaces(emoji), noEngine);
    assert.equal(normalize("I ❤️ it😀👍🏽"), "I  red heart  it grinning face  thumbs up 🏽");
  });

  it("leaves a text without any of them as it is", () => {
    const normalize = normalizerOf(replaces(emoji), noEngine);
    for (const text of ["", "plain", "😡 é好"]) assert.equal(normalize(text), text);
  });

  it("leaves every text as it is where there are no steps", () => {
    assert.equal(normalizerOf(sequence(), noEngine)("a 😀"), "a 😀");
    assert.equal(normalizerOf({ type: "Sequence" }, noEngine)("a 😀"), "a 😀");
  });

  it("takes the first of two steps for a character", () => {
    const pairs: readonly Pair[] = [
      ["😀", " grin "],
      ["👍", " up "],
      ["😀", " face "],
    ];
    assert.equal(normalizerOf(replaces(pairs), noEngine)("😀👍😀"), " grin  up  grin ");
  });

  it("takes a character out where a step has no content", () => {
    const section = sequence({ type: "Replace", pattern: { String: "\u200d" } });
    assert.equal(normalizerOf(section, noEngine)("a\u200db"), "ab");
  });

  for (const character of String.raw`\ ] [ ^ - / | . * + ? ( ) { } $ &`.split(" ")) {
    it(`takes ${character} for the character, first, between and last in the list`, () => {
      const others: readonly Pair[] = [
        ["A", "1"],
        ["Z", "2"],
      ];
      const pair: Pair = [character, "3"];
      for (const place of [0, 1, 2]) {
        const pairs = others.toSpliced(place, 0, pair);
        // From A to Z and beyond: a hyphen must not become a range, a caret no complement.
        const text = `A${character}Z M ${character}${character} \\ ] ^ - [ & a`;
        assert.equal(normalizerOf(replaces(pairs), noEngine)(text), oneAfterAnother(text, pairs));
      }
    });
  }

  for (const content of ["$&", "$1", "$$", "$`", "$'", "\\$&"]) {
    it(`writes ${content} as it stands, in one pass and one after another`, () => {
      assert.equal(normalizerOf(replaces([["😀", content]]), noEngine)("a😀b"), `a${content}b`);
      const meeting: readonly Pair[] = [
        ["👍", "😀"],
        ["😀", content],
      ];
      assert.equal(normalizerOf(replaces(meeting), noEngine)("a👍b"), `a${content}b`);
    });
  }

  describe("gives what the steps give one after the other", () => {
    const situations: readonly (readonly [what: string, pairs: readonly Pair[]])[] = [
      [
        "a later step's character in a word",
        [
          ["a", "xbx"],
          ["b", "y"],
        ],
      ],
      [
        "an earlier step's character in a word",
        [
          ["b", "y"],
          ["a", "xbx"],
        ],
      ],
      [
        "a step's own character in its word",
        [
          ["a", "aa"],
          ["b", "c"],
        ],
      ],
      [
        "two characters that change places",
        [
          ["a", "b"],
          ["b", "a"],
        ],
      ],
      [
        "a chain of steps",
        [
          ["a", "b"],
          ["b", "c"],
          ["c", "d"],
        ],
      ],
      [
        "a character that comes back",
        [
          ["a", "b"],
          ["b", "a"],
          ["a", "z"],
        ],
      ],
      [
        "two steps for a character, and its word in between",
        [
          ["a", "b"],
          ["a", "c"],
          ["b", "a"],
        ],
      ],
    ];
    for (const [what, pairs] of situations) {
      it(`for ${what}`, () => {
        const normalize = normalizerOf(replaces(pairs), noEngine);
        for (const text of ["ab", "ba", "aabbcc", "abcabc xyz", ""]) {
          assert.equal(normalize(text), oneAfterAnother(text, pairs));
        }
      });
    }

    for (const [what, contents] of [
      ["words that meet no step", [..."xyzXYZ ", "$&", "é"]],
      ["words that meet other steps", [..."ab^]-\\😀👍x ", "$&"]],
    ] as const) {
      it(`for random steps and texts (${what})`, () => {
        const draw = seeded(contents.length);
        const alphabet = [..."ab^]-\\😀👍❤"];
        for (let round = 0; round < 1000; round++) {
          const pairs = Array.from(
            { length: draw(0, 8) },
            (): Pair => [alphabet[draw(0, alphabet.length - 1)] ?? "", randomOf(draw, contents, 3)],
          );
          const normalize = normalizerOf(replaces(pairs), noEngine);
          const text = randomOf(draw, [...alphabet, ..."xyz "], 30);
          assert.equal(
            normalize(text),
            oneAfterAnother(text, pairs),
            JSON.stringify({ text, pairs }),
          );
        }
      });
    }
  });

  describe("leaves to the engine", () => {
    const marked =
      (mark: string): EngineNormalizer =>
      (text) =>
        `${mark}(${text})`;
    const others: readonly NormalizerSection[] = [
      { type: "NFC" },
      { type: "Lowercase" },
      { type: "Replace", pattern: { String: "ab" }, content: "c" },
      { type: "Replace", pattern: { String: "" }, content: "c" },
      { type: "Replace", pattern: { String: "👍🏽" }, content: "c" },
      { type: "Replace", pattern: { Regex: "a" } as object, content: "c" },
      { type: "Replace", content: "c" },
    ];
    for (const step of others) {
      it(`${JSON.stringify(step)}, alone and as a step`, () => {
        assert.equal(normalizerOf(step, marked("engine"))("ab"), "engine(ab)");
        const engine = engineOf(marked("step"));
        assert.equal(normalizerOf(sequence(step), engine)("ab"), "step(ab)");
      });
    }

    it("each step by its own function, at its place among the others", () => {
      const section = sequence(
        replace("a", "1"),
        { type: "NFC" },
        replace("b", "2"),
        replace("c", "3"),
        { type: "NFKC" },
        replace("(", "<"),
      );
      const [first, calls] = recorder((text: string) => `first(${text})`);
      const engine = engineOf(noEngine, first, noEngine, noEngine, marked("second"), noEngine);
      assert.equal(normalizerOf(section, engine)("abc"), "second<first<123))");
      assert.deepEqual(calls, [["1bc"]]);
    });

    it("no step for another's character: what stands between them stays between them", () => {
      const section = sequence(replace("a", "b"), { type: "NFC" }, replace("b", "c"));
      const engine = engineOf(noEngine, (text) => text.replaceAll("b", "-"), noEngine);
      assert.equal(normalizerOf(section, engine)("ab"), "--");
    });
  });

  it("goes into a sequence within a sequence", () => {
    const section = sequence(
      replace("a", "1"),
      sequence(replace("b", "2"), { type: "NFC" }, sequence(replace("c", "3"))),
      replace("d", "4"),
    );
    const inner = engineOf(noEngine, (text) => `inner(${text})`, engineOf(noEngine));
    const engine = engineOf(noEngine, inner, noEngine);
    assert.equal(normalizerOf(section, engine)("abcd"), "inner(123d)".replace("d", "4"));
  });

  it("reads a BertNormalizer by its own, alone and as a step", () => {
    const bert = {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    };
    // The engine would make a final sigma of the last letter.
    assert.equal(normalizerOf(bert, noEngine)("ΟΔΟΣ Café"), "οδοσ cafe");
    const section = sequence(replace("😀", " GRIN "), bert);
    assert.equal(normalizerOf(section, engineOf(noEngine, noEngine))("Σ😀"), "σ grin ");
  });
});
