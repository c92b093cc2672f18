import assert from "node:assert/strict";
import { type Reason, ServiceError } from "../../../../server/core/errors.js";
import type { ModelInferRequest } from "../../../../server/gen/inference/grpc_service.js";
import { textsOf } from "../../../../server/rpc/kserve/text-tensor.js";
import { bytesTensor, contentsOf, inferRequest, input } from "../../../support/infer-messages.js";
import { serviceError } from "../../outcomes.js";
import { type Draw, seeded } from "../../seeded.js";

const MOST = 100;
const TEXTS = ["I love it", "", "schön 😀", "\u0000 \ufeff"];
const utf8 = (text: string) => new TextEncoder().encode(text);
const WANTED = "send one input TEXT, datatype BYTES, shape [n] or [n, 1]";

describe("textsOf", () => {
  for (const shape of [[4], [4, 1]]) {
    it(`reads raw contents of the shape [${shape}]`, () => {
      const request = inferRequest(TEXTS, { inputs: [input({ shape })] });
      assert.deepEqual(textsOf(request, MOST), { texts: TEXTS, shape });
    });

    it(`reads bytes_contents of the shape [${shape}]`, () => {
      const contents = contentsOf({ bytesContents: TEXTS.map(utf8) });
      const request = { inputs: [input({ shape, contents })], rawInputContents: [] };
      assert.deepEqual(textsOf(request, MOST), { texts: TEXTS, shape });
    });
  }

  it("reads a message that lies anywhere in a larger one", () => {
    for (const offset of [0, 1, 2, 3]) {
      const within = Buffer.concat([Buffer.alloc(offset), bytesTensor(TEXTS), Buffer.alloc(5)]);
      const raw = within.subarray(offset, within.length - 5);
      assert.deepEqual(
        textsOf(inferRequest(TEXTS, { rawInputContents: [raw] }), MOST).texts,
        TEXTS,
      );
    }
  });

  it("passes over empty contents beside raw ones", () => {
    const inputs = [input({ contents: contentsOf({}) })];
    assert.deepEqual(textsOf(inferRequest(["fine"], { inputs }), MOST).texts, ["fine"]);
  });

  it("marks bytes that are not UTF-8, and only those", () => {
    const { texts } = textsOf(inferRequest(["a\ufffd", Uint8Array.of(0xff), "b"]), MOST);
    assert.deepEqual(
      texts.map((text) => text.isWellFormed()),
      [true, false, true],
    );
  });

  const raw = (bytes: Uint8Array, shape: number[] = [1]) =>
    inferRequest([], { inputs: [input({ shape })], rawInputContents: [bytes] });
  const shaped = (...shape: number[]) => inferRequest([], { inputs: [input({ shape })] });
  const typed = (elements: number, shape: number[] = [1]) => {
    const bytesContents = Array.from({ length: elements }, () => utf8("fine"));
    const contents = contentsOf({ bytesContents });
    return inferRequest([], { inputs: [input({ shape, contents })], rawInputContents: [] });
  };
  const cases: readonly (readonly [
    what: string,
    request: ModelInferRequest,
    message: string,
    field: string,
  ])[] = [
    [
      "no input",
      inferRequest(["a"], { inputs: [] }),
      `The request has 0 inputs: ${WANTED}.`,
      "inputs",
    ],
    [
      "a second input",
      inferRequest(["a"], { inputs: [input(), input()] }),
      `The request has 2 inputs: ${WANTED}.`,
      "inputs",
    ],
    [
      "another input",
      inferRequest(["a"], { inputs: [input({ name: "input_ids" })] }),
      `The input input_ids is unknown: ${WANTED}.`,
      "inputs[0].name",
    ],
    [
      "another datatype",
      inferRequest(["a"], { inputs: [input({ datatype: "INT64" })] }),
      `TEXT has the datatype INT64: ${WANTED}.`,
      "inputs[0].datatype",
    ],
    ["no shape", shaped(), `TEXT has the shape []: ${WANTED}.`, "inputs[0].shape"],
    ["a negative shape", shaped(-1), `TEXT has the shape [-1]: ${WANTED}.`, "inputs[0].shape"],
    ["two columns", shaped(1, 2), `TEXT has the shape [1, 2]: ${WANTED}.`, "inputs[0].shape"],
    ["a row", shaped(1, 1, 1), `TEXT has the shape [1, 1, 1]: ${WANTED}.`, "inputs[0].shape"],
    [
      "many dimensions",
      shaped(...new Array(1000).fill(1)),
      `TEXT has the shape [1, 1, 1, 1, ...]: ${WANTED}.`,
      "inputs[0].shape",
    ],
    [
      "shared memory",
      inferRequest([], { inputs: [input({ parameters: { shared_memory_region: {} } })] }),
      "TEXT lies in shared memory, which is not served: send it in raw_input_contents.",
      "inputs[0].parameters",
    ],
    [
      "nothing in it",
      inferRequest([], { inputs: [input()], rawInputContents: [] }),
      "TEXT has no contents: send them in raw_input_contents, or in contents.bytes_contents.",
      "inputs[0].contents.bytes_contents",
    ],
    [
      "contents of another datatype",
      inferRequest([], { inputs: [input({ contents: contentsOf({ fp32Contents: [1] }) })] }),
      "TEXT has contents of another datatype: put the texts into bytes_contents alone.",
      "inputs[0].contents",
    ],
    [
      "fewer elements than its shape says",
      typed(1, [2]),
      "TEXT has 1 elements in bytes_contents, its shape says 2: make them equal.",
      "inputs[0].contents.bytes_contents",
    ],
    [
      "more elements than its shape says",
      typed(3, [2]),
      "TEXT has 3 elements in bytes_contents, its shape says 2: make them equal.",
      "inputs[0].contents.bytes_contents",
    ],
    [
      "both kinds of contents",
      { ...typed(1), rawInputContents: [bytesTensor(["fine"])] },
      "TEXT has contents and raw_input_contents: send one of the two.",
      "raw_input_contents",
    ],
    [
      "two raw contents",
      inferRequest(["a"], { rawInputContents: [bytesTensor(["a"]), bytesTensor(["b"])] }),
      "raw_input_contents has 2 entries for one input: send one.",
      "raw_input_contents",
    ],
    ...[
      ["a length that is cut off", raw(Uint8Array.of(4, 0, 0)), 0],
      ["a text that is cut off", raw(bytesTensor(["fine"]).subarray(0, 7)), 0],
      [
        "a text that its length goes beyond",
        raw(bytesTensor(["a", "fine"]).subarray(0, 11), [2]),
        1,
      ],
      ["lengths that reach far", raw(Uint8Array.of(255, 255, 255, 255, 65)), 0],
      ["a text without a length", raw(utf8("I love it")), 0],
      ["fewer texts than its shape says", raw(bytesTensor(["fine"]), [2]), 1],
      ["nothing", raw(new Uint8Array()), 0],
    ].map(
      ([what, request, place]) =>
        [
          what as string,
          request as ModelInferRequest,
          `TEXT[${place}] is cut off: before each text goes its length in bytes, 4 bytes, little-endian.`,
          "raw_input_contents[0]",
        ] as const,
    ),
    [
      "more texts than its shape says",
      raw(bytesTensor(["a", "fine"])),
      "TEXT has 8 bytes more than the 1 texts of its shape: make them equal.",
      "raw_input_contents[0]",
    ],
  ];
  for (const [what, request, message, field] of cases) {
    it(`refuses ${what}`, () => {
      const refused = serviceError("TENSOR_INVALID", message, { field });
      assert.throws(() => textsOf(request, MOST), refused);
    });
  }

  it("refuses a batch that is too large by its shape, before it looks at the contents", () => {
    for (const count of [101, Number.MAX_SAFE_INTEGER]) {
      const message = `TEXT has ${count} texts, at most 100 are allowed: send several batches.`;
      const refused = serviceError("BATCH_TOO_LARGE", message, { field: "TEXT" });
      assert.throws(() => textsOf(shaped(count), MOST), refused);
    }
  });

  it("refuses a batch of no texts", () => {
    const message = "TEXT is empty: send at least one text.";
    assert.throws(
      () => textsOf(shaped(0), MOST),
      serviceError("BATCH_EMPTY", message, { field: "TEXT" }),
    );
  });

  it("names an input by no more of its name than fits", () => {
    const inputs = [input({ name: "x".repeat(1_000_000) })];
    assert.throws(
      () => textsOf(inferRequest(["a"], { inputs }), MOST),
      ({ message }: Error) => message.length < 300,
    );
  });

  it("reads whatever was written, and refuses with a reason whatever was broken", () => {
    const draw = seeded(7);
    const refusals = new Map<string, number>();
    for (let round = 0; round < 3000; round++) {
      const texts = Array.from({ length: draw(1, 5) }, () => textOf(draw));
      const request = inferRequest(texts);
      assert.deepEqual(textsOf(request, MOST).texts, texts);
      const outcome = outcomeOf(mutated(request, draw));
      refusals.set(outcome, (refusals.get(outcome) ?? 0) + 1);
    }
    for (const outcome of ["read", "TENSOR_INVALID", "BATCH_TOO_LARGE", "BATCH_EMPTY"])
      assert.ok((refusals.get(outcome) ?? 0) > 20, `${outcome}: ${refusals.get(outcome)}`);
  });
});

const REASONS: readonly Reason[] = ["TENSOR_INVALID", "BATCH_TOO_LARGE", "BATCH_EMPTY"];

/** "read", or the reason of the refusal; fails for anything else. */
function outcomeOf(request: ModelInferRequest): string {
  try {
    const { texts, shape } = textsOf(request, MOST);
    assert.equal(texts.length, shape[0]);
    return "read";
  } catch (error) {
    assert.ok(error instanceof ServiceError && REASONS.includes(error.reason), String(error));
    return error.reason;
  }
}

const textOf = (draw: Draw) =>
  Array.from({ length: draw(0, 12) }, () => String.fromCodePoint(draw(0, 0xd7ff))).join("");

const MUTATIONS: readonly ((
  request: ModelInferRequest,
  draw: Draw,
) => Partial<ModelInferRequest>)[] = [
  ({ rawInputContents: [bytes = new Uint8Array()] }, draw) => ({
    rawInputContents: [bytes.subarray(0, draw(0, bytes.length))],
  }),
  ({ rawInputContents: [bytes = new Uint8Array()] }, draw) => {
    const flipped = Uint8Array.from(bytes);
    flipped[draw(0, bytes.length - 1)] = draw(0, 255);
    return { rawInputContents: [flipped] };
  },
  ({ rawInputContents: [bytes = new Uint8Array()] }, draw) => ({
    rawInputContents: [Uint8Array.from([...bytes, ...new Array(draw(1, 9)).fill(0)])],
  }),
  (_, draw) => ({
    inputs: [input({ shape: Array.from({ length: draw(0, 3) }, () => draw(-1, 7)) })],
  }),
  (_, draw) => ({ inputs: [input({ shape: [draw(0, 1) * draw(95, 2 ** 31)] })] }),
  ({ inputs }, draw) => ({ inputs: inputs.flatMap((one) => new Array(draw(0, 2)).fill(one)) }),
  ({ rawInputContents }, draw) => ({
    rawInputContents: rawInputContents.flatMap((one) => new Array(draw(0, 2)).fill(one)),
  }),
  ({ inputs: [one] }) => ({
    inputs: [input({ ...one, contents: contentsOf({ bytesContents: [utf8("fine")] }) })],
  }),
];

function mutated(request: ModelInferRequest, draw: Draw): ModelInferRequest {
  const change = MUTATIONS[draw(0, MUTATIONS.length - 1)];
  return { ...request, ...change?.(request, draw) };
}
