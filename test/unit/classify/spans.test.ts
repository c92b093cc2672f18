import assert from "node:assert/strict";
import {
  inCodePoints,
  piecesAt,
  type Span,
  sentencesOf,
  wordsOf,
} from "../../../server/classify/spans.js";
import { type Draw, seeded } from "../seeded.js";

const WHITE_SPACE = /^\s$/u;
/** Of all that the rules look at: ends, quotes, titles, abbreviations, lines, scripts, emoji. */
const PIECES = [
  ..."aZé7.!?…\"'()]-,;:。！？ \n\t",
  ..." \r\n|\u2029|\u00a0|\u3000|Mr.|St. |etc. |No.|p.m.|...|3.50|good. |bad|Nice! ".split("|"),
  ..."很好|ですね|좋아요|خوب۔|e\u0301|😀|👍🏽|👨‍👩‍👧|🇩🇪|❤️|1️⃣".split("|"),
];

const randomText = (draw: Draw): string =>
  Array.from({ length: draw(1, 60) }, () => PIECES[draw(0, PIECES.length - 1)]).join("");

const randomTexts = (count: number): string[] => {
  const draw = seeded(count);
  return Array.from({ length: count }, () => randomText(draw));
};

const piecesOf = (text: string, spans: readonly Span[]): string[] =>
  spans.map(({ begin, end }) => text.slice(begin, end));

/** Spans that are not empty, lie in the text, and follow one another without overlap. */
function assertAscending(text: string, spans: readonly Span[]): void {
  let last = 0;
  for (const { begin, end } of spans) {
    assert.ok(last <= begin && begin < end && end <= text.length, JSON.stringify({ text, spans }));
    last = end;
  }
}

/** The characters of the text that stand in none of the spans, without white space. */
function leftOut(text: string, spans: readonly Span[]): string {
  let rest = "";
  let last = 0;
  for (const { begin, end } of [...spans, { begin: text.length, end: text.length }]) {
    rest += text.slice(last, begin);
    last = end;
  }
  return [...rest].filter((character) => !WHITE_SPACE.test(character)).join("");
}

describe("sentencesOf", () => {
  const cases: readonly (readonly [what: string, text: string, sentences: readonly string[]])[] = [
    ["ends", "It works. Really! Or not?", ["It works.", "Really!", "Or not?"]],
    ["no end", "no end at all", ["no end at all"]],
    ["white space around it", " \n It works. \t So it does.\n", ["It works.", "So it does."]],
    ["several ends in a row", "Stop it!!! Now?!", ["Stop it!!!", "Now?!"]],
    ["no letter", "!!!", ["!!!"]],
    ["no character but white space", " \n\t\u3000", []],
    ["no character", "", []],

    ["a title at its start", "Mr. Smith came. He left.", ["Mr. Smith came.", "He left."]],
    ["a title in quotes", 'He said "Dr. No is bad."', ['He said "Dr. No is bad."']],
    ["a title in brackets", "All (Prof. Lee too) left.", ["All (Prof. Lee too) left."]],
    ["initials", "J. R. R. Tolkien wrote. I read.", ["J. R. R. Tolkien wrote.", "I read."]],
    ["two titles in a row", "I met Prof. Dr. Jones.", ["I met Prof. Dr. Jones."]],
    ["a title at its end", "I live in Main St.", ["I live in Main St."]],
    ["a word that ends like a title", "I like BoMs. They rock.", ["I like BoMs.", "They rock."]],

    ["small letters alone", "it was fine. would buy", ["it was fine.", "would buy"]],
    ["a small letter after a question", "was it good? yes", ["was it good?", "yes"]],
    ["a small letter on the next line", "it was fine.\nreally", ["it was fine.", "really"]],
    ["small letters of another script", "хорошо. очень", ["хорошо.", "очень"]],
    ["short forms in small letters", "e.g. this, i.e. that", ["e.g. this, i.e. that"]],
    ["a time", "at 3 p.m. sharp", ["at 3 p.m. sharp"]],
    ["a short form's end in a word", "ask the admin. now", ["ask the admin.", "now"]],
    ["a price", "It costs $3.50. Good.", ["It costs $3.50.", "Good."]],
    ["a version", "version 2.0 is out", ["version 2.0 is out"]],

    ["a quoted sentence", 'He said "Bad." Then he left.', ['He said "Bad."', "Then he left."]],
    ["a quote, all small", "he said 'quite bad.' then left", ["he said 'quite bad.'", "then left"]],
    ["brackets, all small", "(it works.) then it breaks", ["(it works.)", "then it breaks"]],
    ["curly quotes", "“It is bad.” He left.", ["“It is bad.”", "He left."]],

    ["dots that go on", "so... it goes on", ["so... it goes on"]],
    ["dots before a capital", "It was... Well, bad.", ["It was...", "Well, bad."]],
    ["an ellipsis at its end", "It was so… No!", ["It was so… No!"]],

    ["lines", "one\ntwo\r\nthree\n\nfour", ["one", "two", "three", "four"]],
    ["a paragraph mark", "one\u2029two\u2028three", ["one", "two", "three"]],

    ["Chinese ends", "电影很好。我喜欢！你呢？", ["电影很好。", "我喜欢！", "你呢？"]],
    ["Japanese ends", "最高です。また見たい", ["最高です。", "また見たい"]],
    ["a danda", "अच्छा है। बुरा है।", ["अच्छा है।", "बुरा है।"]],

    ["emoji between words", "So 😀 good 👍🏽", ["So 😀 good 👍🏽"]],
    ["emoji before the end", "Great 😀. Bad 😡! Hm", ["Great 😀.", "Bad 😡!", "Hm"]],
    ["emoji at its start", "Great! 🇩🇪 wins", ["Great!", "🇩🇪 wins"]],
    ["an emoji alone", "👨‍👩‍👧", ["👨‍👩‍👧"]],
    ["emoji behind the end", "Great!😀👍🏽 Awful. 😡 Ok.", ["Great!😀👍🏽", "Awful. 😡", "Ok."]],
    ["emoji on a line of its own", "Great!\n😀 Ok.", ["Great!", "😀 Ok."]],
    ["emoji that begins a word", "Great! 😀yes", ["Great!", "😀yes"]],
    ["No. as an answer", "Again? No. It broke.", ["Again?", "No.", "It broke."]],
    ["No. before a number", "It is No. 5 here.", ["It is No. 5 here."]],
    ["short words before a small letter", "hated it. but ok", ["hated it.", "but ok"]],
  ];
  for (const [what, text, sentences] of cases) {
    it(`reads ${what}`, () => {
      assert.deepEqual(piecesOf(text, sentencesOf(text)), sentences);
    });
  }

  for (const title of "Mr Mrs Ms Dr Prof St Mt Gen Sen Rep vs".split(" ")) {
    it(`goes on after ${title}.`, () => {
      const text = `I like ${title}. Green. You too?`;
      assert.deepEqual(piecesOf(text, sentencesOf(text)), [`I like ${title}. Green.`, "You too?"]);
    });
  }

  for (const short of "etc approx incl resp ed eds vol vols fig figs min max vs al cf pp ca".split(
    " ",
  )) {
    it(`goes on after ${short}. before a small letter`, () => {
      const text = `so many ${short}. and more. and all (${short}.) at once`;
      assert.deepEqual(piecesOf(text, sentencesOf(text)), [
        `so many ${short}. and more.`,
        `and all (${short}.) at once`,
      ]);
    });
  }

  it("loses no text, and gives none twice, whatever the text", () => {
    for (const text of randomTexts(1000)) {
      const spans = sentencesOf(text);
      assertAscending(text, spans);
      assert.equal(leftOut(text, spans), "", JSON.stringify(text));
      for (const sentence of piecesOf(text, spans)) assert.equal(sentence, sentence.trim());
    }
  });
});

describe("wordsOf", () => {
  const whole = (text: string): Span => ({ begin: 0, end: text.length });
  const cases: readonly (readonly [what: string, text: string, words: readonly string[]])[] = [
    ["words without the marks around them", "Well, (this) works!", ["Well", "this", "works"]],
    [
      "a contraction as one word",
      "I don't know, it’s fine",
      ["I", "don't", "know", "it’s", "fine"],
    ],
    ["the parts of a compound", "a well-made one", ["a", "well", "made", "one"]],
    ["numbers", "3.50 of 1,000 or 7%", ["3.50", "of", "1,000", "or", "7"]],
    ["accents composed and apart", "naïve cafe\u0301", ["naïve", "cafe\u0301"]],
    ["emoji", "so 😀😡 good ❤️", ["so", "😀", "😡", "good", "❤️"]],
    ["emoji of several code points whole", "👍🏽👨‍👩‍👧🇩🇪🇫🇷", ["👍🏽", "👨‍👩‍👧", "🇩🇪", "🇫🇷"]],
    ["a digit in a box", "1️⃣ 2️⃣", ["1️⃣", "2️⃣"]],
    ["Korean", "정말 좋아요!", ["정말", "좋아요"]],
    ["no word in marks", "!!! ... :-( __ —", []],
    ["no word in white space", " \n ", []],
    ["no word in nothing", "", []],
  ];
  for (const [what, text, words] of cases) {
    it(`finds ${what}`, () => {
      assert.deepEqual(piecesOf(text, wordsOf(text, whole(text))), words);
    });
  }

  it("finds the words of a part only, at their places in the text", () => {
    const text = "😀 one two three";
    assert.deepEqual(wordsOf(text, { begin: 2, end: 10 }), [
      { begin: 3, end: 6 },
      { begin: 7, end: 10 },
    ]);
  });

  it("leaves no letter, digit or emoji out, whatever the text", () => {
    for (const text of randomTexts(1001)) {
      const spans = wordsOf(text, whole(text));
      assertAscending(text, spans);
      assert.doesNotMatch(leftOut(text, spans), /[\p{L}\p{N}\p{Emoji_Presentation}]/u, text);
      for (const word of piecesOf(text, spans)) assert.match(word, /[\p{L}\p{N}\p{Emoji}]/u);
    }
  });
});

describe("inCodePoints", () => {
  const cases: readonly (readonly [what: string, text: string, span: Span, expected: Span])[] = [
    ["plain letters", "one two", { begin: 4, end: 7 }, { begin: 4, end: 7 }],
    ["emoji before it", "😀 two", { begin: 3, end: 6 }, { begin: 2, end: 5 }],
    ["an emoji in it", "a 😀b", { begin: 2, end: 5 }, { begin: 2, end: 4 }],
    ["a family of three", "👨‍👩‍👧!", { begin: 8, end: 9 }, { begin: 5, end: 6 }],
    ["letters beyond U+FFFF", "𝒳𝒴𝒵", { begin: 2, end: 6 }, { begin: 1, end: 3 }],
  ];
  for (const [what, text, span, expected] of cases) {
    it(`counts ${what}`, () => {
      assert.deepEqual(inCodePoints(text, [span]), [expected]);
    });
  }

  it("counts nothing where there is none", () => {
    assert.deepEqual(inCodePoints("😀", []), []);
  });

  it("counts the sentences and words of any text so that its code points hold them", () => {
    for (const text of randomTexts(1002)) {
      const points = [...text];
      for (const spans of [sentencesOf(text), wordsOf(text, { begin: 0, end: text.length })]) {
        const counted = inCodePoints(text, spans);
        assert.deepEqual(
          counted.map(({ begin, end }) => points.slice(begin, end).join("")),
          piecesOf(text, spans),
        );
        assert.deepEqual(piecesAt(text, counted), piecesOf(text, spans));
      }
    }
  });
});
