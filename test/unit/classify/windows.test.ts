import assert from "node:assert/strict";
import { type Span, sentencesOf } from "../../../server/classify/spans.js";
import { type LongText, type Window, windowsOf } from "../../../server/classify/windows.js";
import { serviceError } from "../outcomes.js";
import { type Draw, seeded } from "../seeded.js";

type Encode = (text: string) => readonly number[];

/** A token a word: its length. A word ends where a sentence may end: behind 。 and the emoji that close it. */
const wordLengths: Encode = (text) =>
  (text.match(/[^\s。]+(?:。(?:(?:😀|👍)+(?=\s|$))?)?/gu) ?? []).map((word) => word.length);
/** A token a character, white space left out. */
const characters: Encode = (text) => codesOf(text.replace(/\s/g, ""));
/** A token a character, white space included, as byte-level tokenizers do. */
const allCharacters: Encode = (text) => codesOf(text);
/** Up to four tokens a character. */
const fourths: Encode = (text) =>
  characters(text).flatMap((code) => Array.from({ length: 1 + (code % 4) }, (_, n) => code + n));

const codesOf = (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0);
const pieceOf = (text: string, { begin, end }: Span) => text.slice(begin, end);
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `W${n}`);

/** Texts of words of many lengths and scripts, with ends, lines and white space at random places. */
function randomText(draw: Draw): string {
  const oneOf = (list: readonly string[]) => list[draw(0, list.length - 1)] ?? "";
  const word = () =>
    Array.from({ length: draw(1, 9) }, () => oneOf([..."abcXYZ7é好😀👍"])).join("");
  const gap = () => oneOf([" ", " ", " ", "  ", ". ", "! ", "? ", "\n", " \n\n", "。", ", "]);
  const words = Array.from({ length: draw(0, 25) }, () => word() + gap()).join("");
  return oneOf(["", " ", "\n"]) + words + word() + oneOf(["", ".", " ", "!\n", "  \n"]);
}

function* randomTexts(seed: number): Generator<readonly [text: string, room: number]> {
  const draw = seeded(seed);
  for (let round = 0; round < 1500; round++) yield [randomText(draw), draw(1, 20)];
}

const cut = (text: string, encode: Encode, room: number) =>
  windowsOf(text, encode, room, "windows");

/** Windows that follow one another from the text's begin to its end. */
function assertTiles(text: string, windows: readonly Span[]): void {
  const ends = [0, ...windows.map(({ end }) => end)];
  const message = JSON.stringify({ text, windows });
  assert.deepEqual(
    windows.map(({ begin }) => begin),
    ends.slice(0, -1),
    message,
  );
  assert.equal(ends.at(-1), text.length, message);
}

/** Windows that read all of the text's tokens once, in order, and each of them no more than there is room for. */
function assertReadsAll(text: string, encode: Encode, room: number): readonly Window[] {
  const { windows, tokenCount } = cut(text, encode, room);
  const ids = encode(text);
  const message = JSON.stringify({ text, room, windows });
  assert.deepEqual(
    windows.flatMap((window) => window.ids),
    ids,
    message,
  );
  assert.equal(tokenCount, ids.length, message);
  for (const window of windows) assert.ok(window.ids.length <= room, message);
  return windows;
}

describe("windowsOf", () => {
  for (const longText of ["windows", "truncate", "reject"] satisfies LongText[]) {
    it(`leaves a text that just fits whole (${longText})`, () => {
      const text = " one. two. 3 \n";
      assert.deepEqual(windowsOf(text, wordLengths, 3, longText), {
        tokenCount: 3,
        windows: [{ begin: 0, end: text.length, ids: [4, 4, 1] }],
      });
    });

    it(`makes one empty window of a text without tokens (${longText})`, () => {
      assert.deepEqual(
        windowsOf("\u0001", () => [], 3, longText),
        {
          tokenCount: 0,
          windows: [{ begin: 0, end: 1, ids: [] }],
        },
      );
    });
  }

  describe("where it cuts", () => {
    const piecesOf = (text: string, room: number, encode = wordLengths) =>
      cut(text, encode, room).windows.map((window) => pieceOf(text, window));

    it("keeps sentences whole that fit, and puts as many together as make even windows", () => {
      assert.deepEqual(piecesOf("One two. Three four. Five. Six seven eight.", 5), [
        "One two. Three four.",
        " Five. Six seven eight.",
      ]);
    });

    it("cuts a sentence too long for the model between its words", () => {
      assert.deepEqual(piecesOf("so it goes on and on for ever", 5), [
        "so it goes on",
        " and on for ever",
      ]);
    });

    it("cuts a sentence too long for the model, and leaves its neighbours whole", () => {
      assert.deepEqual(piecesOf("Well yes. And so it goes on and on. The end.", 4), [
        "Well yes. And so",
        " it goes on and",
        " on. The end.",
      ]);
    });

    it("cuts a word too long for the model between its characters", () => {
      const text = "ab 好好学习😀😀 c d e";
      assert.deepEqual(piecesOf(text, 4, characters), ["ab", " 好好学", "习😀😀", " c d e"]);
    });

    it("cuts two characters apart where only one fits", () => {
      assert.deepEqual(piecesOf("ab", 1, characters), ["a", "b"]);
      assert.deepEqual(piecesOf("好好😀😀", 1, characters), ["好", "好", "😀", "😀"]);
    });

    it("cuts a character of more tokens than there is room for between its tokens", () => {
      const threeEach: Encode = (text) => characters(text).flatMap((code) => [code, 1, 2]);
      const [laugh = 0, well = 0] = codesOf("😀好");
      assert.deepEqual(cut("😀好", threeEach, 2).windows, [
        { begin: 0, end: 2, ids: [laugh, 1] },
        { begin: 0, end: 2, ids: [2] },
        { begin: 2, end: 3, ids: [well, 1] },
        { begin: 2, end: 3, ids: [2] },
      ]);
    });

    it("gives white space to what follows it", () => {
      assert.deepEqual(piecesOf(" a b\n\n c d", 4, allCharacters), [" a b", "\n\n c", " d"]);
    });

    for (const end of [" ", "\n", "\n\n  "]) {
      it(`makes no window of ${JSON.stringify(end)} at the end alone`, () => {
        for (const text of ["One two. Three four. Five six.", "one two three four five six"]) {
          const { windows } = cut(text + end, wordLengths, 4);
          assert.deepEqual(
            windows.map(({ ids }) => ids.length > 0),
            [true, true],
          );
          assert.equal(windows.at(-1)?.end, text.length + end.length);
        }
      });
    }

    it("leaves no stump beside a window that has room for it", () => {
      const sentence = (words: number) => `${numbered(words).join(" ")}.`;
      const text = [11, 1, 16, 5].map(sentence).join(" ");
      const lengths = cut(text, wordLengths, 16).windows.map(({ ids }) => ids.length);
      assert.deepEqual(lengths, [12, 16, 5]);
    });
  });

  it("cuts words that are one too many for the model into two halves, not a whole and a stump", () => {
    const { windows } = cut(numbered(127).join(" "), wordLengths, 126);
    assert.deepEqual(
      windows.map(({ ids }) => ids.length),
      [64, 63],
    );
  });

  it("makes as few windows of words as there can be, that differ by one word at most", () => {
    for (const room of [1, 2, 7, 20]) {
      for (let count = 1; count <= 4 * room + 3; count++) {
        const { windows } = cut(numbered(count).join(" "), wordLengths, room);
        const lengths = windows.map(({ ids }) => ids.length);
        assert.equal(windows.length, Math.ceil(count / room));
        assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1, String(lengths));
      }
    }
  });

  describe("whatever the text and the room", () => {
    for (const [what, encode] of Object.entries({ wordLengths, characters, allCharacters })) {
      it(`reads all in order, in windows that fit and tile the text (${what})`, () => {
        for (const [text, room] of randomTexts(1)) {
          const windows = assertReadsAll(text, encode, room);
          assertTiles(text, windows);
          for (const window of windows)
            assert.deepEqual(window.ids, encode(pieceOf(text, window)), text);
        }
      });
    }

    it("reads all in order where single characters do not fit", () => {
      for (const [text, room] of randomTexts(2)) {
        const windows = assertReadsAll(text, fourths, room);
        const begins = windows.map(({ begin }) => begin);
        const ends = windows.map(({ end }) => end);
        const ascending = (one: number, other: number) => one - other;
        assert.deepEqual(begins, begins.toSorted(ascending));
        assert.deepEqual(ends, ends.toSorted(ascending));
        assert.deepEqual([begins[0], ends.at(-1)], [0, text.length]);
      }
    });

    it("keeps each sentence that fits in one window", () => {
      for (const [text, room] of randomTexts(3)) {
        const { windows } = cut(text, characters, room);
        const fitting = sentencesOf(text).filter(
          (sentence) => characters(pieceOf(text, sentence)).length <= room,
        );
        for (const { begin, end } of fitting) {
          const home = windows.some((window) => window.begin <= begin && end <= window.end);
          assert.ok(home, JSON.stringify({ text, room, begin, end }));
        }
      }
    });

    it("makes no two neighbours that would fit into one window, and no empty one", () => {
      for (const [text, room] of randomTexts(4)) {
        const { windows } = cut(text, wordLengths, room);
        const lengths = windows.map(({ ids }) => ids.length);
        const message = JSON.stringify({ text, room, lengths });
        for (const [place, length] of lengths.entries()) {
          assert.ok(length > 0, message);
          assert.ok(length + (lengths[place + 1] ?? room) > room, message);
        }
      }
    });
  });

  it("counts the tokens that it reads, where the whole text would have others", () => {
    // Each part has a mark before its words that the whole does not have.
    const text = "aa bb cc";
    const marked: Encode = (part) => (part === text ? [1, 1, 1, 1] : [0, ...wordLengths(part)]);
    const { tokenCount, windows } = cut(text, marked, 3);
    assert.deepEqual(
      windows.flatMap(({ ids }) => ids),
      [0, 2, 0, 2, 0, 2],
    );
    assert.equal(tokenCount, 6);
  });

  it("reads the first tokens only when it truncates", () => {
    const text = numbered(500).join(" ");
    assert.deepEqual(windowsOf(text, wordLengths, 126, "truncate"), {
      tokenCount: 500,
      // To the end of the last word that is read.
      windows: [{ begin: 0, end: text.indexOf(" W126 "), ids: wordLengths(text).slice(0, 126) }],
    });
  });

  it("takes all of a text for read where not even its first word fits", () => {
    const letters = (text: string) => [...text].map(() => 1);
    assert.deepEqual(windowsOf("abcdef", letters, 4, "truncate").windows, [
      { begin: 0, end: 6, ids: [1, 1, 1, 1] },
    ]);
  });

  it("throws for a text over the room when it rejects", () => {
    assert.throws(
      () => windowsOf(numbered(127).join(" "), wordLengths, 126, "reject"),
      serviceError(
        "TEXT_TOO_LONG",
        "The text has 127 tokens, the model reads 126: shorten it, or allow windows.",
      ),
    );
  });
});
