import assert from "node:assert/strict";
import { shareOf } from "../../../server/core/share.js";
import { sentences } from "../../support/sentences.js";

const COUNT = 10_000;

describe("shareOf", () => {
  it("is the same for the same text, also in another process and another version", () => {
    assert.equal(shareOf("a text").toFixed(9), "0.736852953");
    assert.equal(shareOf(["a", "text"].join(" ")), shareOf("a text"));
  });

  it("lies from 0 up to 1, also for no text at all and for one that is not ASCII", () => {
    for (const text of ["", "a", "好评", "🙂", "\ud800", "x".repeat(100_000)]) {
      const place = shareOf(text);
      assert.ok(place >= 0 && place < 1, `${place}`);
    }
  });

  for (const [kind, texts] of [
    ["sentences", sentences(COUNT)],
    ["numbers", Array.from({ length: COUNT }, (_, n) => String(n))],
    ["texts that differ at their start", Array.from({ length: COUNT }, (_, n) => `${n} is fine`)],
  ] as const) {
    it(`is spread evenly over ${kind}`, () => {
      const tenths = Array<number>(10).fill(0);
      for (const text of texts) {
        const tenth = Math.floor(shareOf(text) * 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      // Five standard deviations.
      const most = 5 * Math.sqrt(COUNT * 0.1 * 0.9);
      for (const count of tenths) assert.ok(Math.abs(count - COUNT / 10) < most, `${tenths}`);
    });
  }
});
