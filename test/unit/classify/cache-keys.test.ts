import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readingKey } from "../../../server/classify/cache-keys.js";

const keyOf = (tokenCount: number, ...windows: readonly (readonly number[])[]) =>
  readingKey(
    { space: "space" } as Parameters<typeof readingKey>[0],
    { tokenCount, windows: windows.map((ids) => ({ ids })) } as unknown as Parameters<
      typeof readingKey
    >[1],
  );

const hashOf = (...numbers: readonly number[]) =>
  createHash("sha256").update(Int32Array.from(numbers)).digest("base64url");

describe("readingKey", () => {
  it("is of the tokens, and of where windows begin, as servers of other versions that share a Redis have it", () => {
    assert.deepEqual(keyOf(5, [101, 102], [103, 104, 105]), {
      space: "space",
      hash: hashOf(5, -1, 101, 102, -1, 103, 104, 105),
    });
  });

  it("is so whatever text came before, and however long it is", () => {
    for (const tokens of [100, 509, 510, 511, 10_000, 3]) {
      const ids = Array.from({ length: tokens }, (_, place) => place);
      assert.equal(keyOf(tokens, ids).hash, hashOf(tokens, -1, ...ids), `${tokens}`);
    }
  });

  it("tells texts apart that differ in their tokens, their windows or their length", () => {
    const keys = [
      keyOf(2, [1, 2]),
      keyOf(2, [2, 1]),
      keyOf(2, [1], [2]),
      keyOf(3, [1, 2]),
      keyOf(0),
    ];
    assert.equal(new Set(keys.map(({ hash }) => hash)).size, keys.length);
  });
});
