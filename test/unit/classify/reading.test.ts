import assert from "node:assert/strict";
import { type Question, read, windowsToRead } from "../../../server/classify/reading.js";
import { ServiceError } from "../../../server/core/errors.js";
import { seeded } from "../seeded.js";
import { numbersOf, PLAIN, tokenizerOf } from "./fake-model.js";

const ROOM = 4;
const SENTENCES: Question = { ...PLAIN, sentences: true };

const readAs = (text: string, question: Question) =>
  read(text, tokenizerOf(numbersOf), ROOM, question);
const sentencesIn = (text: string) =>
  readAs(text, SENTENCES).sentences.map(({ begin, end }) => text.slice(begin, end));

describe("read", () => {
  it("reads the whole text alone where sentences are not asked for", () => {
    const reading = readAs("1 2. 3 4.", PLAIN);
    assert.deepEqual(reading, {
      text: "1 2. 3 4.",
      tokenCount: 4,
      windows: [{ begin: 0, end: 9, ids: [1, 2, 3, 4] }],
      sentences: [],
    });
    assert.equal(windowsToRead(reading), reading.windows);
  });

  it("reads each sentence besides the text, at its place in it", () => {
    const reading = readAs(" 1 2. 3 4. 5", SENTENCES);
    assert.deepEqual(
      reading.sentences.map(({ begin, end, windows }) => ({ begin, end, ids: windows[0]?.ids })),
      [
        { begin: 1, end: 5, ids: [1, 2] },
        { begin: 6, end: 10, ids: [3, 4] },
        { begin: 11, end: 12, ids: [5] },
      ],
    );
    assert.deepEqual(windowsToRead(reading), [
      ...reading.windows,
      ...reading.sentences.flatMap(({ windows }) => windows),
    ]);
  });

  for (const [what, text, windows] of [
    ["one sentence", " 1 2 3. ", 1],
    ["one sentence of several windows", "1 2 3 4 5 6 7 8 9", 3],
  ] as const) {
    it(`reads a text of ${what} once`, () => {
      const reading = readAs(text, SENTENCES);
      const [sentence, ...more] = reading.sentences;
      assert.deepEqual(more, []);
      assert.equal(sentence?.windows, reading.windows);
      assert.equal(reading.windows.length, windows);
      assert.equal(text.slice(sentence?.begin, sentence?.end), text.trim());
      assert.deepEqual(windowsToRead(reading), reading.windows);
    });
  }

  it("finds no sentence in white space", () => {
    const reading = readAs(" \n ", SENTENCES);
    assert.deepEqual(reading.sentences, []);
    assert.deepEqual(windowsToRead(reading), [{ begin: 0, end: 3, ids: [] }]);
  });

  it("cuts a sentence over the model's tokens into windows of its own", () => {
    const { sentences, tokenCount } = readAs("1. 2 3 4 5 6 7. 8.", SENTENCES);
    assert.deepEqual(
      sentences.map(({ windows }) => windows.map(({ ids }) => ids)),
      [
        [[1]],
        [
          [2, 3, 4],
          [5, 6, 7],
        ],
        [[8]],
      ],
    );
    assert.equal(tokenCount, 8);
  });

  it("gives of a truncated text only the sentences that are read", () => {
    const question: Question = { ...SENTENCES, longText: "truncate" };
    const { sentences, windows, tokenCount } = readAs("1. 2 3 4 5 6 7. 8.", question);
    assert.deepEqual(
      windows.map(({ ids }) => ids),
      [[1, 2, 3, 4]],
    );
    assert.deepEqual(
      sentences.map((sentence) => sentence.windows.map(({ ids }) => ids)),
      [[[1]], [[2, 3, 4]]],
    );
    assert.equal(tokenCount, 8);
  });

  it("refuses a text over the model's tokens, though each sentence would fit", () => {
    const question: Question = { ...SENTENCES, longText: "reject" };
    assert.throws(() => readAs("1 2 3. 4 5 6.", question), ServiceError);
  });

  it("leaves 256 sentences as they are", () => {
    const sentences = Array.from({ length: 256 }, (_, n) => `${n} 1!`);
    assert.deepEqual(sentencesIn(sentences.join(" ")), sentences);
  });

  it("puts neighbours of 257 sentences together, two by two", () => {
    const sentences = Array.from({ length: 257 }, (_, n) => `${n} 1!`);
    const groups = sentencesIn(sentences.join(" "));
    assert.equal(groups.length, 129);
    assert.deepEqual(groups.slice(0, 2), ["0 1! 1 1!", "2 1! 3 1!"]);
    assert.equal(groups.at(-1), "256 1!");
  });

  it("puts no more together than it must, and leaves none out, however many there are", () => {
    const draw = seeded(1);
    for (let round = 0; round < 50; round++) {
      const count = draw(257, 3000);
      const text = Array.from({ length: count }, (_, n) => `${n}!`).join(" ");
      const groups = sentencesIn(text);
      assert.ok(groups.length > 128 && groups.length <= 256, `${count}: ${groups.length}`);
      assert.equal(groups.join(" "), text);
    }
  });
});
