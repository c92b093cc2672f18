import assert from "node:assert/strict";
import type { Verdict } from "../../../server/classify/classifier.js";
import { LongText } from "../../../server/gen/sentiment/v1/sentiment.js";
import { detailBytes, placesOf, withinOneAnswer } from "../../../server/rpc/answer-details.js";
import { reasonOf } from "../outcomes.js";

const NONE = {
  sentences: false,
  explain: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
  skipCache: false,
};

describe("the details of answers", () => {
  it("are none where none are asked for, and more of longer texts", () => {
    assert.equal(detailBytes("a b c", undefined, 10), 0);
    assert.equal(detailBytes("a b c", NONE, 10), 0);
    const explained = detailBytes("a b c", { ...NONE, explain: true }, 10);
    assert.equal(explained, 500);
    assert.equal(detailBytes("a b c", { ...NONE, explain: true, sentences: true }, 10), 1000);
    assert.equal(detailBytes("a. ".repeat(1000), { ...NONE, sentences: true }, 10_000), 25_600);
    assert.equal(detailBytes("x".repeat(1000), { ...NONE, explain: true }, 10), 2000, "too long");
  });

  it("make a text take more places of its stream", () => {
    assert.equal(placesOf("short", 0), 1);
    assert.equal(placesOf("short", 100), 1);
    assert.equal(placesOf("long ".repeat(100), 100), 2);
    assert.equal(placesOf("short", 1_000_000), 123);
  });

  it("are no more than an answer may have: texts beyond fail by themselves", () => {
    const outcome = (words: number, sentences: number) => {
      const verdict = { attributions: Array(words).fill({}), sentences: Array(sentences).fill({}) };
      return { status: "fulfilled" as const, value: verdict as unknown as Verdict };
    };
    const failed = { status: "rejected" as const, reason: new Error("its own") };
    const outcomes = [
      outcome(60_000, 0),
      failed,
      outcome(0, 50_000),
      outcome(20_000, 20_000),
      outcome(1, 0),
    ];
    const { outcomes: within, bytes } = withinOneAnswer(outcomes);
    assert.equal(bytes, 100 * 100_000);
    assert.deepEqual(
      within.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "fulfilled", "rejected"],
    );
    assert.equal(within[1], failed);
    assert.match(
      String(reasonOf(within[2])),
      /With texts\[2\] the answer would have over 100000 words/,
    );
    assert.deepEqual(
      withinOneAnswer([outcome(200_000, 0)]).outcomes[0]?.status,
      "fulfilled",
      "one alone",
    );
  });
});
