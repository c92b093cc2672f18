import assert from "node:assert/strict";
import fc from "fast-check";
import { ServiceError } from "../../../server/core/errors.js";
import { checkId, checkText, codePoints, echoOf } from "../../../server/rpc/validate.js";

/** Any UTF-16: halves of characters too. */
const text = fc.oneof(
  fc
    .array(fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff })), { maxLength: 300 })
    .map((points) => String.fromCodePoint(...points)),
  fc.array(fc.nat(0xffff), { maxLength: 300 }).map((codes) => String.fromCharCode(...codes)),
  fc.string({ unit: fc.constantFrom(" ", "\n", "\u3000", "\ufeff", "\u0085", "\0"), maxLength: 9 }),
);
const reasonOf = (check: () => void): string | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.ok(error.message.isWellFormed() && error.message.length < 200);
    return error.reason;
  }
};

function faultOf(given: string, most: number): string | undefined {
  if (!given.isWellFormed()) return "TEXT_NOT_UTF8";
  if ([...given].length > most) return "TEXT_TOO_LONG";
  return /^\s*$/.test(given) ? "TEXT_EMPTY" : undefined;
}

describe("what a request may hold", () => {
  it("is a text that is well-formed, short enough and not white space, and no other", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 150 }), (given, most) => {
        const expected = faultOf(given, most);
        assert.equal(
          reasonOf(() => checkText(given, most, "text")),
          expected,
        );
        assert.equal(codePoints(given), [...given].length);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("is an id of up to 128 characters, and one that is refused is sent back as its beginning", () => {
    fc.assert(
      fc.property(text, (id) => {
        const isGood = id.isWellFormed() && [...id].length <= 128;
        assert.equal(
          reasonOf(() => checkId(id)),
          isGood ? undefined : "ID_TOO_LONG",
        );
        const echo = echoOf(id);
        assert.ok(echo.isWellFormed() && [...echo].length <= 128);
        if (isGood) assert.equal(echo, id);
        else assert.ok(id.toWellFormed().startsWith(echo) || !id.isWellFormed());
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
