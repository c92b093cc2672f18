import assert from "node:assert/strict";
import { inCodePoints, type Span, sentencesOf, wordsOf } from "../../../server/classify/spans.js";
import { tokensOf, windowsOf } from "../../../server/classify/windows.js";
import { loadTokenizer, type Tokenizer } from "../../../server/tokenize/tokenizer.js";
import { HOSTILE } from "../../fuzz/texts.js";
import { seeded } from "../seeded.js";

const LENGTHS = [1, 2, 3, 17, 300];
const ROOM = 30;
/** Ten times what a request may have: what grows with the square of it would take minutes. */
const MANY = 100_000;

function assertAscending(text: string, spans: readonly Span[]): void {
  let last = 0;
  for (const { begin, end } of spans) {
    assert.ok(last <= begin && begin < end && end <= text.length, JSON.stringify({ begin, end }));
    last = end;
  }
}

function assertReadWhole(text: string, { encode }: Tokenizer): void {
  const { windows, tokenCount } = windowsOf(text, encode, ROOM, "windows");
  assert.deepEqual([windows[0]?.begin, windows.at(-1)?.end], [0, text.length]);
  assert.equal(tokensOf(windows), tokenCount);
  for (const { ids } of windows) assert.ok(ids.length <= ROOM);
  const points = [...text];
  for (const spans of [sentencesOf(text), wordsOf(text, { begin: 0, end: text.length })]) {
    assertAscending(text, spans);
    const counted = inCodePoints(text, spans);
    assert.deepEqual(
      counted.map(({ begin, end }) => points.slice(begin, end).join("")),
      spans.map(({ begin, end }) => text.slice(begin, end)),
    );
  }
}

describe("a text that is hard to read", function () {
  this.timeout(60_000);
  let tokenizer: Tokenizer;
  before(async () => {
    tokenizer = await loadTokenizer("triton-model-repo/sentiment_fast/tokenizer.json");
  });

  for (const [kind, repeat] of Object.entries(HOSTILE)) {
    it(`of ${kind} is read whole: its windows, sentences and words stand in it`, () => {
      const draw = seeded(kind.length);
      for (const length of LENGTHS) assertReadWhole(repeat(length, draw), tokenizer);
    });

    it(`of ${MANY} characters of ${kind} takes ten times what 10,000 do, not a hundred times`, () => {
      const text = repeat(MANY, seeded(1));
      assert.ok(tokenizer.encode(text).length <= text.length);
      assertAscending(text, sentencesOf(text));
      assertAscending(text, wordsOf(text, { begin: 0, end: text.length }));
    });
  }
});
