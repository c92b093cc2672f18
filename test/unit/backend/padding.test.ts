import assert from "node:assert/strict";
import { padded, rowsOf } from "../../../server/backend/padding.js";

describe("padded", () => {
  it("pads each row at its end to the longest", () => {
    assert.deepEqual(
      padded(
        [
          [101, 7, 102],
          [101, 102],
          [101, 8, 9, 102],
        ],
        0,
      ),
      {
        rows: 3,
        tokens: 4,
        inputIds: BigInt64Array.of(101n, 7n, 102n, 0n, 101n, 102n, 0n, 0n, 101n, 8n, 9n, 102n),
        attentionMask: BigInt64Array.of(1n, 1n, 1n, 0n, 1n, 1n, 0n, 0n, 1n, 1n, 1n, 1n),
      },
    );
  });

  it("fills with the padding of the tokenizer, which is masked out", () => {
    const { inputIds, attentionMask } = padded([[5], [6, 7]], 1);
    assert.deepEqual(inputIds, BigInt64Array.of(5n, 1n, 6n, 7n));
    assert.deepEqual(attentionMask, BigInt64Array.of(1n, 0n, 1n, 1n));
  });

  it("masks no token, though it has the id of the padding", () => {
    const { inputIds, attentionMask } = padded([[0, 5, 0]], 0);
    assert.deepEqual(inputIds, BigInt64Array.of(0n, 5n, 0n));
    assert.deepEqual(attentionMask, BigInt64Array.of(1n, 1n, 1n));
  });

  it("pads nothing where all rows are of one length", () => {
    const { attentionMask } = padded(
      [
        [1, 2],
        [3, 4],
      ],
      9,
    );
    assert.ok(attentionMask.every((mask) => mask === 1n));
  });

  it("gives buffers of their own: a thread gets a copy of the whole buffer", () => {
    const { inputIds, attentionMask } = padded([[1, 2]], 0);
    assert.notEqual(inputIds.buffer, attentionMask.buffer);
    assert.deepEqual([inputIds.byteOffset, inputIds.buffer.byteLength], [0, 16]);
    assert.deepEqual([attentionMask.byteOffset, attentionMask.buffer.byteLength], [0, 16]);
  });
});

describe("rowsOf", () => {
  it("cuts the logits into rows", () => {
    assert.deepEqual(rowsOf(Float32Array.of(1, 2, 3, 4, 5, 6), 2), [
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it("gives as many rows as were asked for, of as many classes as there are", () => {
    assert.deepEqual(rowsOf(Float32Array.of(1, 2), 2), [[1], [2]]);
    assert.deepEqual(rowsOf(Float32Array.of(), 2), [[], []]);
  });
});
