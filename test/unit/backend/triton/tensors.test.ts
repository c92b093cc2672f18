import assert from "node:assert/strict";
import { padded } from "../../../../server/backend/padding.js";
import { inferRequest, logitsOf } from "../../../../server/backend/triton/tensors.js";
import {
  ModelInferRequest,
  ModelInferResponse,
} from "../../../../server/gen/inference/grpc_service.js";
import { logitsMessage } from "../../../support/scripted-triton.js";
import { someVersion } from "../some-version.js";

const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe("a batch for Triton", () => {
  const batch = padded([[101, 9_999_999, 102], [5]], 0);
  const sent = ModelInferRequest.decode(
    ModelInferRequest.encode(inferRequest(someVersion({ version: 12 }), batch)).finish(),
  );

  it("names the model and its version, both inputs and the output", () => {
    assert.deepEqual([sent.modelName, sent.modelVersion], ["sentiment_fast", "12"]);
    assert.deepEqual(
      sent.inputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
      [
        ["input_ids", "INT64", [2, 3]],
        ["attention_mask", "INT64", [2, 3]],
      ],
    );
    assert.deepEqual(
      sent.outputs.map(({ name }) => name),
      ["logits"],
    );
  });

  it("arrives as it was sent", () => {
    const [ids, mask] = sent.rawInputContents.map(
      (bytes) => new BigInt64Array(new Uint8Array(bytes).buffer),
    );
    assert.deepEqual(ids, BigInt64Array.of(101n, 9_999_999n, 102n, 5n, 0n, 0n));
    assert.deepEqual(mask, BigInt64Array.of(1n, 1n, 1n, 1n, 0n, 0n));
  });

  it("is sent without its neighbours, where its buffers are parts of larger ones", () => {
    const part = (...values: readonly bigint[]) =>
      BigInt64Array.of(-1n, ...values, -1n).subarray(1, 3);
    const parts = { rows: 1, tokens: 2, inputIds: part(7n, 8n), attentionMask: part(1n, 1n) };
    const [ids = new Uint8Array()] = inferRequest(someVersion(), parts).rawInputContents;
    assert.deepEqual(new BigInt64Array(new Uint8Array(ids).buffer), BigInt64Array.of(7n, 8n));
  });
});

describe("Triton's answer", () => {
  it("is read at whatever place the bytes lie in the message", () => {
    for (const id of ["", "a", "ab", "abc"]) {
      const sent = { ...logitsMessage([2, 3], bytesOf([1, 2, 3, 4, 5, 6])), id };
      const arrived = ModelInferResponse.decode(
        Buffer.from(ModelInferResponse.encode(sent).finish()),
      );
      assert.deepEqual(logitsOf(arrived, 2), Float32Array.of(1, 2, 3, 4, 5, 6));
    }
  });

  it("is found among other outputs", () => {
    const { outputs, rawOutputContents } = logitsMessage([1, 3], bytesOf([1, 2, 3]));
    const other = logitsMessage([1], bytesOf([9]), "other");
    const both = {
      ...other,
      outputs: [...other.outputs, ...outputs],
      rawOutputContents: [...other.rawOutputContents, ...rawOutputContents],
    };
    assert.deepEqual(logitsOf(both, 1), Float32Array.of(1, 2, 3));
  });

  const good = bytesOf([1, 2, 3]);
  for (const [what, message, found] of [
    ["rows are missing", logitsMessage([1, 3], good), "FP32 [1, 3] of 12"],
    ["the type is another", logitsMessage([2, 3], good, "logits", "FP16"), "FP16 [2, 3] of 12"],
    ["bytes are missing", logitsMessage([2, 3], good), "FP32 [2, 3] of 12"],
    ["there are no classes", logitsMessage([2, 0], new Uint8Array()), "FP32 [2, 0] of 0"],
    ["it has one dimension", logitsMessage([2], good), "FP32 [2] of 12"],
    [
      "the output is another",
      logitsMessage([2, 3], good, "scores"),
      "undefined [none] of undefined",
    ],
    [
      "the bytes are not there at all",
      { ...logitsMessage([2, 3], good), rawOutputContents: [] },
      "FP32 [2, 3] of undefined",
    ],
  ] satisfies [string, ModelInferResponse, string][]) {
    it(`is refused where ${what}`, () => {
      const error = new Error(`Triton's answer is not logits FP32 [2, classes] but ${found} bytes`);
      assert.throws(() => logitsOf(message, 2), error);
    });
  }
});
