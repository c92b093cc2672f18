import { sentences } from "../support/sentences.js";
import { type Draw, happens, oneOf } from "./draw.js";

/** Texts that many cases share, so that most are answered from memory. */
const USUAL = sentences(60);
const SIZES = [1, 2, 7, 40, 300];
/** MAX_INPUT_LENGTH, and what is over it. */
const LONG = [9_999, 10_000, 10_001];
const HUGE = 1_000_000;

type Repeat = (length: number, draw: Draw) => string;

const filled =
  (...pieces: readonly string[]): Repeat =>
  (length, draw) => {
    let text = "";
    for (let points = 0; points < length; ) {
      const piece = oneOf(draw, pieces);
      points += [...piece].length;
      text += piece;
    }
    return text;
  };

/** Marks of ever lower classes: a normalizer has to sort them all. */
const MARKS = ["\u0345", "\u0301", "\u0591", "\u05b0", "\u0327", "\u093c"];

/** Texts that are hard on whatever reads them, by what is in them. Nearly all of them few tokens, however long they are. */
export const HOSTILE: Readonly<Record<string, Repeat>> = {
  nul: filled("\0"),
  controls: filled("\u0001", "\u0007", "\u001b[31m", "\u007f", "\u0085"),
  "byte order marks": filled("\ufeff"),
  "right to left": filled("\u202e", "\u2067", "\u202c", "שלום", "a"),
  "zero width": filled("\u200b", "\u200d", "\u2060", "\u00ad"),
  "combining marks": (length, draw) => `a${filled(...MARKS)(length - 1, draw)}`,
  "one mark": (length) => `e${"\u0301".repeat(length - 1)}`,
  "sorted the other way": (length) => {
    const half = length >> 1;
    return `a${"\u0301".repeat(half)}${"\u0327".repeat(half)}`;
  },
  "joined emoji": filled("👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "❤️‍🔥"),
  "joiners alone": filled("👩\u200d"),
  "flags by halves": filled("\u{1f1e9}"),
  tags: filled("\u{e0061}", "\u{e007f}", "🏴"),
  "one word": (length) => "a".repeat(length),
  "spaces and a letter": (length) => `${" ".repeat(length - 1)}a`,
  "a letter and spaces": (length) => `a${" ".repeat(length - 1)}`,
  "a sentence, spaces, and none": (length) => `good.${" ".repeat(Math.max(0, length - 6))}!`,
  newlines: filled("\n", "\r\n", "\u2029", "a"),
  "closing quotes": (length) => `aa.${'"'.repeat(Math.max(0, length - 5))} a`,
  "closing brackets": filled('aa.")]', "]", ")", "'"),
  titles: filled("Mr. ", "St.  ", "A. ", "No. 1 ", "etc. "),
  dots: filled(".", "…", "!", "?", "。"),
  "emoji behind an end": (length) => `good.${"😀".repeat(Math.max(1, length - 5))}x`,
  "capital dotted i": filled("\u0130"),
  "final sigma": filled("\u03a3"),
  "long decompositions": filled("\ufdfa", "\u1fa7", "\u0390", "\u{1d160}"),
  jamo: filled("\u1100", "\u1161", "\u11a8"),
  "private use and nothing": filled("\ue000", "\u{10ffff}", "\ufffd", "\u0378"),
  "special tokens": filled("[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "</s>", "<pad>"),
  "white space of all kinds": filled(" ", "\u00a0", "\u3000", "\u2003", "\t", "a"),
};

/** A token a character, or nearly: what they cost, the model has to work for. */
export const DENSE: readonly Repeat[] = [
  filled("好", "電", "学", "。"),
  filled("ไม่ดี", "ภาษา"),
  filled("a ", "b. ", "c! ", "7 "),
  filled("!", "?", ",", "(", "#"),
];

/** White space alone is refused, and one text in many is a little longer or shorter than that. */
export const shortText = (draw: Draw): string =>
  happens(draw, 5) ? `${oneOf(draw, USUAL)} ${draw(0, 1e9)}` : oneOf(draw, USUAL);

/** A text of up to 300 characters that few would write. */
export const oddText = (draw: Draw): string => made(draw, oneOf(draw, SIZES));

/** The same of 10,000 characters, give or take one. */
export const longText = (draw: Draw): string => made(draw, oneOf(draw, LONG));

/** The same of a million. */
export const hugeText = (draw: Draw): string => made(draw, HUGE);

/** A long one that keeps the model busy. */
export const denseText = (draw: Draw): string => oneOf(draw, DENSE)(draw(500, 3000), draw);

const made = (draw: Draw, length: number): string =>
  oneOf(draw, Object.values(HOSTILE))(Math.max(1, length), draw);
