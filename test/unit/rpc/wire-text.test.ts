import assert from "node:assert/strict";
import { configureTextEncoding, getTextEncoding } from "@bufbuild/protobuf/wire";
import {
  AnalyzeBatchRequest,
  AnalyzeRequest,
  Tier,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { markInvalidUtf8 } from "../../../server/rpc/wire-text.js";

/** A length-delimited field, as it goes over the wire. */
const field = (number: number, bytes: Uint8Array) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
const textRead = (bytes: Uint8Array) => AnalyzeRequest.decode(field(1, bytes)).text;

describe("markInvalidUtf8", () => {
  const original = getTextEncoding();
  before(() => markInvalidUtf8());
  // It holds for the whole process, as in the server; here for these tests only.
  after(() => configureTextEncoding(original));

  const invalid: readonly (readonly [what: string, bytes: readonly number[]])[] = [
    ["a byte that never occurs", [0xff]],
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9]],
    ["a character that is cut off", [0x61, 0xf0, 0x9f, 0x98]],
    ["a continuation without a start", [0x80, 0x61]],
    ["an overlong form", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a broken text after a byte order mark", [0xef, 0xbb, 0xbf, 0xff]],
    ["what is beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
  ];
  for (const [what, bytes] of invalid) {
    it(`makes ${what} a text that is not well-formed`, () => {
      const text = textRead(Uint8Array.from(bytes));
      assert.equal(text.isWellFormed(), false);
      assert.equal(text.slice(1), Buffer.from(bytes).toString("utf8"));
    });
  }

  const valid: readonly (readonly [what: string, text: string])[] = [
    ["no text", ""],
    ["plain letters", "fine"],
    ["an emoji", "I 😀 it"],
    ["a byte order mark", "\ufefffine"],
    ["a byte order mark in the middle", "so \ufeff so"],
    ["a replacement character that was really sent", "so \ufffd so"],
    ["a null character", "a\0b"],
    ["the last code point", "\u{10ffff}"],
    ["all kinds of scripts", "좋아요 добре 好 ʻōlelo"],
  ];
  for (const [what, text] of valid) {
    it(`leaves ${what} as it is`, () => {
      assert.equal(textRead(Buffer.from(text, "utf8")), text);
    });

    it(`writes ${what} and reads it again`, () => {
      const request: AnalyzeRequest = { text, tier: Tier.TIER_FAST, options: undefined };
      const bytes = AnalyzeRequest.encode(request).finish();
      assert.ok(Buffer.from(bytes).includes(Buffer.from(text, "utf8")));
      assert.deepEqual(AnalyzeRequest.decode(bytes), request);
    });
  }

  it("marks the one bad text of several, and leaves its neighbours as they are", () => {
    const message = Buffer.concat([
      field(1, Buffer.from("fine")),
      field(1, Uint8Array.of(0xff)),
      field(1, Buffer.from("😀")),
    ]);
    const { texts } = AnalyzeBatchRequest.decode(message);
    assert.deepEqual(
      texts.map((text) => text.isWellFormed()),
      [true, false, true],
    );
    assert.deepEqual([texts[0], texts[2]], ["fine", "😀"]);
  });
});
