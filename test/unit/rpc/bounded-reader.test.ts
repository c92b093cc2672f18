import assert from "node:assert/strict";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  GRPCInferenceServiceDefinition,
  ModelInferRequest,
} from "../../../server/gen/inference/grpc_service.js";
import {
  AdminServiceDefinition,
  AnalyzeBatchRequest,
  SentimentServiceDefinition,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { bounded } from "../../../server/rpc/bounded-reader.js";
import { contentsOf, inferRequest, input } from "../../support/infer-messages.js";

const { decode } = bounded(GRPCInferenceServiceDefinition).methods.modelInfer.requestType;
const batch = bounded(SentimentServiceDefinition).methods.analyzeBatch.requestType;

/** A message that is one field of bytes. */
const fieldOf = (number: number, bytes: Uint8Array) =>
  new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();

/** Numbers one after the other, as in a field that is packed. */
function packed(numbers: Iterable<bigint>): Uint8Array {
  const writer = new BinaryWriter();
  for (const number of numbers) writer.int64(number);
  return writer.finish();
}

/** A ModelInfer whose one input has this shape. */
const shaped = (shape: Iterable<bigint>) => fieldOf(5, fieldOf(3, packed(shape)));

/** A ModelInfer whose one input has these contents. */
const filled = (contents: Parameters<typeof contentsOf>[0]) =>
  ModelInferRequest.encode({
    ...inferRequest([]),
    inputs: [input({ contents: contentsOf(contents) })],
  }).finish();

describe("a service whose messages are read with bounds", () => {
  it("reads what the generated one reads", () => {
    const request = inferRequest(["I love it", "schön"], {
      id: "7",
      parameters: { sequence_id: { uint64Param: 5 }, timeout: { int64Param: -5 } },
    });
    const bytes = ModelInferRequest.encode(request).finish();
    assert.deepEqual(decode(bytes), ModelInferRequest.decode(bytes));
  });

  it("clamps numbers that are too large, where the generated one gives up", () => {
    const bytes = shaped([2n ** 63n - 1n, -(2n ** 63n), 3n]);
    assert.throws(() => ModelInferRequest.decode(bytes));
    assert.deepEqual(decode(bytes).inputs[0]?.shape, [
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      3,
    ]);
    const profile = bounded(AdminServiceDefinition).methods.captureProfile.requestType;
    const seconds = new BinaryWriter()
      .tag(1, WireType.Varint)
      .int64(2n ** 62n)
      .finish();
    assert.equal(profile.decode(fieldOf(2, seconds)).duration?.seconds, Number.MAX_SAFE_INTEGER);
  });

  it("reads as many texts as may be set", () => {
    const texts = Array.from({ length: 10_000 }, (_, number) => `text ${number}`);
    const bytes = AnalyzeBatchRequest.encode({ texts, tier: 0, options: undefined }).finish();
    assert.deepEqual(batch.decode(bytes).texts, texts);
    const elements = texts.map((text) => Buffer.from(text));
    const typed = input({ shape: [10_000], contents: contentsOf({ bytesContents: elements }) });
    const request = { ...inferRequest([]), inputs: [typed] };
    const read = decode(ModelInferRequest.encode(request).finish());
    assert.equal(read.inputs[0]?.contents?.bytesContents.length, 10_000);
  });

  const MANY = 200_000;
  const nothing = (tag: number) => Buffer.alloc(2 * MANY, Buffer.of(tag, 0));
  const floods: readonly (readonly [what: string, read: () => unknown])[] = [
    ["empty texts", () => batch.decode(nothing(0x0a))],
    ["options, over and over", () => batch.decode(nothing(0x1a))],
    ["empty inputs", () => decode(nothing(0x2a))],
    ["empty outputs", () => decode(nothing(0x32))],
    ["parameters of an output", () => decode(fieldOf(6, nothing(0x12)))],
    ["fields that it does not know", () => batch.decode(nothing(0x78))],
    ["dimensions", () => decode(shaped(Array<bigint>(MANY).fill(1n)))],
    ["flags", () => decode(filled({ boolContents: Array<boolean>(MANY).fill(true) }))],
    ["numbers of 4 bytes", () => decode(filled({ fp32Contents: Array<number>(MANY).fill(1) }))],
    ["numbers of 8 bytes", () => decode(filled({ fp64Contents: Array<number>(MANY).fill(1) }))],
  ];
  for (const [what, read] of floods) {
    it(`gives up ${MANY} ${what}`, () => {
      assert.throws(read, /over 100000 fields/);
    });
  }
});
