import assert from "node:assert/strict";
import { tokensOf } from "../../../server/quota/estimate.js";

const PLAIN = { sentences: false, explain: false };

describe("tokensOf", () => {
  it("is a token for each four characters, and those around the text", () => {
    assert.equal(tokensOf("", PLAIN), 2);
    assert.equal(tokensOf("good", PLAIN), 3);
    assert.equal(tokensOf("goods", PLAIN), 4);
    assert.equal(tokensOf("x".repeat(10_000), PLAIN), 2502);
  });

  it("is twice that for sentences, and once more for each word that is explained", () => {
    const text = "x".repeat(24);
    assert.equal(tokensOf(text, { sentences: true, explain: false }), 16);
    assert.equal(tokensOf(text, { sentences: false, explain: true }), 8 + 4 * 8);
    assert.equal(tokensOf(text, { sentences: true, explain: true }), 16 + 4 * 8);
  });

  it("knows that an explanation has no more rows than 64, each of what a model reads at once", () => {
    assert.equal(
      tokensOf("x".repeat(10_000), { sentences: false, explain: true }),
      2502 + 64 * 512,
    );
  });
});
