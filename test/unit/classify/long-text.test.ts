import assert from "node:assert/strict";
import { type LongText, windowsOf } from "../../../server/classify/long-text.js";
import { serviceError } from "../outcomes.js";

const numbered = (count: number) => Array.from({ length: count }, (_, id) => id);

describe("windowsOf", () => {
  for (const longText of ["windows", "truncate", "reject"] satisfies LongText[]) {
    it(`leaves a text that just fits whole (${longText})`, () => {
      assert.deepEqual(windowsOf(numbered(126), 126, longText), [numbered(126)]);
    });

    it(`makes one empty window of a text without tokens (${longText})`, () => {
      assert.deepEqual(windowsOf([], 126, longText), [[]]);
    });
  }

  it("cuts a text that is one token too long into two halves, not into a whole and a stump", () => {
    const windows = windowsOf(numbered(127), 126, "windows");
    assert.deepEqual(
      windows.map(({ length }) => length),
      [63, 64],
    );
  });

  it("makes windows that fit, differ by one token at most, and join to the whole", () => {
    for (const room of [1, 2, 7, 126]) {
      for (let count = 1; count <= 4 * room + 3; count++) {
        const windows = windowsOf(numbered(count), room, "windows");
        const lengths = windows.map(({ length }) => length);
        assert.deepEqual(windows.flat(), numbered(count));
        assert.equal(windows.length, Math.ceil(count / room));
        assert.ok(Math.max(...lengths) <= room);
        assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1);
      }
    }
  });

  it("reads the first tokens only when it truncates", () => {
    assert.deepEqual(windowsOf(numbered(500), 126, "truncate"), [numbered(126)]);
  });

  it("throws for a text over the room when it rejects", () => {
    assert.throws(
      () => windowsOf(numbered(127), 126, "reject"),
      serviceError(
        "TEXT_TOO_LONG",
        "The text has 127 tokens, the model reads 126: shorten it, or allow windows.",
      ),
    );
  });
});
