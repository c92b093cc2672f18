import assert from "node:assert/strict";
import {
  answerCodec,
  answerOf,
  bytesOf,
  type CachedAnswer,
} from "../../../server/classify/cached-answer.js";
import type { Verdict } from "../../../server/classify/classifier.js";
import { seeded } from "../seeded.js";

const PLAIN: CachedAnswer = {
  label: "negative",
  score: -0.75,
  confidence: 0.875,
  probabilities: [0.875, 0, 0.125],
  tokenCount: 300,
  analyzedTokenCount: 126,
  sentences: [],
  mixed: false,
  attributions: [],
};
const FULL: CachedAnswer = {
  ...PLAIN,
  mixed: true,
  sentences: [
    { begin: 0, end: 9, label: "negative", score: -0.5, confidence: 0.75 },
    { begin: 10, end: 70_000, label: "positive", score: 1, confidence: 1 },
  ],
  attributions: [
    { begin: 0, end: 3, weight: -1.25 },
    { begin: 4, end: 5, weight: 0.125 },
    { begin: 6, end: 6, weight: 0 },
  ],
};

const KEY = { space: "fast@1", hash: "a" };

describe("the bytes of a cached answer", () => {
  it("are read as what was written", () => {
    for (const answer of [PLAIN, FULL])
      assert.deepEqual(answerCodec.decode(answerCodec.encode(answer, KEY), KEY), answer);
    assert.equal(answerCodec.encode(PLAIN, KEY).length, 42);
  });

  it("are read from the middle of a larger buffer", () => {
    const bytes = answerCodec.encode(FULL, KEY);
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 3);
    assert.deepEqual(answerCodec.decode(larger.subarray(3, 3 + bytes.length), KEY), FULL);
  });

  it("are nothing when they are cut anywhere, or longer", () => {
    const bytes = answerCodec.encode(FULL, KEY);
    for (let length = 0; length < bytes.length; length++)
      assert.equal(answerCodec.decode(bytes.subarray(0, length), KEY), undefined);
    assert.equal(answerCodec.decode(Uint8Array.of(...bytes, 0), KEY), undefined);
  });

  it("are nothing when they were changed, or were never an answer", () => {
    const draw = seeded(1);
    const bytes = answerCodec.encode(FULL, KEY);
    for (let n = 0; n < 2000; n++) {
      const changed = bytes.slice();
      const place = draw(0, bytes.length - 1);
      changed[place] = (changed[place] ?? 0) ^ draw(1, 255);
      assert.equal(answerCodec.decode(changed, KEY), undefined);
    }
    for (let n = 0; n < 2000; n++) {
      const foreign = Uint8Array.from({ length: draw(0, 200) }, () => draw(0, 255));
      assert.equal(answerCodec.decode(foreign, KEY), undefined);
    }
  });

  it("are nothing where a number is none, as only a forger writes it", () => {
    const [sentence, word] = [FULL.sentences[0], FULL.attributions[0]];
    assert.ok(sentence && word);
    for (const none of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const forgeries: readonly CachedAnswer[] = [
        { ...FULL, score: none },
        { ...FULL, confidence: none },
        { ...FULL, probabilities: [0, 1, none] },
        { ...FULL, sentences: [{ ...sentence, score: none }] },
        { ...FULL, sentences: [{ ...sentence, confidence: none }] },
        { ...FULL, attributions: [{ ...word, weight: none }] },
      ];
      for (const forged of forgeries)
        assert.equal(answerCodec.decode(answerCodec.encode(forged, KEY), KEY), undefined);
    }
  });

  it("are nothing under another key", () => {
    const bytes = answerCodec.encode(PLAIN, KEY);
    for (const other of [
      { ...KEY, hash: "b" },
      { ...KEY, space: "fast@2" },
    ])
      assert.equal(answerCodec.decode(bytes, other), undefined);
  });

  it("hold all of a verdict but who gave it", () => {
    const who = { model: {}, version: "1", cache: "none", timings: {} };
    assert.deepEqual(answerOf({ ...FULL, ...who } as unknown as Verdict), FULL);
  });

  it("are counted as more where there is more in them", () => {
    assert.ok(bytesOf(FULL) > bytesOf(PLAIN));
  });
});
