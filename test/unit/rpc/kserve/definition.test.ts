import assert from "node:assert/strict";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ModelInferRequest } from "../../../../server/gen/inference/grpc_service.js";
import { KserveDefinition } from "../../../../server/rpc/kserve/definition.js";
import { contentsOf, inferRequest, input } from "../../../support/infer-messages.js";

const { decode } = KserveDefinition.methods.modelInfer.requestType;

/** A request whose one input has this shape, packed. */
function shaped(...shape: bigint[]): Uint8Array {
  const packed = new BinaryWriter();
  for (const count of shape) packed.int64(count);
  const input = new BinaryWriter().tag(3, WireType.LengthDelimited).bytes(packed.finish());
  return new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(input.finish()).finish();
}

describe("the definition of ModelInfer", () => {
  it("reads what the generated one reads", () => {
    const request = inferRequest(["I love it", "schön"], {
      id: "7",
      parameters: { sequence_id: { uint64Param: 5 }, timeout: { int64Param: -5 } },
    });
    const bytes = ModelInferRequest.encode(request).finish();
    assert.deepEqual(decode(bytes), ModelInferRequest.decode(bytes));
  });

  it("clamps numbers that are too large, where the generated one gives up", () => {
    const bytes = shaped(2n ** 63n - 1n, -(2n ** 63n), 3n);
    assert.throws(() => ModelInferRequest.decode(bytes));
    assert.deepEqual(decode(bytes).inputs[0]?.shape, [
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      3,
    ]);
  });

  it("reads as many texts as a server may be set to take", () => {
    const texts = Array.from({ length: 10_000 }, () => "a");
    for (const inRaw of [true, false]) {
      const request = inferRequest(texts);
      const contents = contentsOf({ bytesContents: texts.map((text) => Buffer.from(text)) });
      const inputs = [input({ shape: [texts.length], contents })];
      const typed = { ...request, inputs, rawInputContents: [] };
      const bytes = ModelInferRequest.encode(inRaw ? request : typed).finish();
      assert.deepEqual(decode(bytes), ModelInferRequest.decode(bytes));
    }
  });

  it("gives up on what becomes very many objects", () => {
    const many = (...bytes: number[]) =>
      Uint8Array.from({ length: 1_000_000 }, (_, place) => bytes[place % bytes.length] ?? 0);
    // Empty inputs, outputs and texts; inputs with parameters; numbers of a shape.
    for (const bytes of [many(0x2a, 0), many(0x32, 0), many(0x3a, 0), many(0x2a, 2, 0x22, 0)])
      assert.throws(() => decode(bytes), /too many parts/);
    assert.throws(() => decode(shaped(...Array<bigint>(100_000).fill(1n))), /too many parts/);
  });
});
