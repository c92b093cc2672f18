import type {
  InferTensorContents,
  ModelInferRequest_InferInputTensor as InputTensor,
  ModelInferRequest,
  ModelInferResponse,
} from "../../server/gen/inference/grpc_service.js";

/** The elements as a BYTES tensor lies on the wire: each after its length, 4 bytes, little-endian. */
export const bytesTensor = (elements: readonly (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(
    elements.flatMap((element) => {
      const bytes = Buffer.from(element);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );

export const contentsOf = (given: Partial<InferTensorContents>): InferTensorContents => ({
  boolContents: [],
  intContents: [],
  int64Contents: [],
  uintContents: [],
  uint64Contents: [],
  fp32Contents: [],
  fp64Contents: [],
  bytesContents: [],
  ...given,
});

export const input = (given: Partial<InputTensor> = {}): InputTensor => ({
  name: "TEXT",
  datatype: "BYTES",
  shape: [1],
  parameters: {},
  contents: undefined,
  ...given,
});

/** A ModelInfer of these texts as stock clients send it. */
export const inferRequest = (
  texts: readonly (string | Uint8Array)[],
  given: Partial<ModelInferRequest> = {},
): ModelInferRequest => ({
  modelName: "sentiment_fast",
  modelVersion: "",
  id: "",
  parameters: {},
  inputs: [input({ shape: [texts.length] })],
  outputs: [],
  rawInputContents: [bytesTensor(texts)],
  ...given,
});

/** The elements of a BYTES tensor. */
export function stringsOf(tensor: Uint8Array | undefined): string[] {
  const bytes = Buffer.from(tensor ?? []);
  const strings: string[] = [];
  for (let place = 0; place < bytes.length; ) {
    const end = place + 4 + bytes.readUInt32LE(place);
    strings.push(bytes.toString("utf8", place + 4, end));
    place = end;
  }
  return strings;
}

const floatsOf = (tensor: Uint8Array): Float32Array =>
  new Float32Array(Uint8Array.from(tensor).buffer);

/** The answers of a reply with all outputs. */
export function answersOf({ outputs, rawOutputContents }: ModelInferResponse) {
  const raw = (name: string) =>
    rawOutputContents[outputs.findIndex((output) => output.name === name)] ?? new Uint8Array();
  const [scores, probabilities] = [floatsOf(raw("SCORE")), floatsOf(raw("PROBABILITIES"))];
  return stringsOf(raw("LABEL")).map((label, index) => ({
    label,
    score: scores[index] ?? Number.NaN,
    probabilities: [...probabilities.subarray(3 * index, 3 * index + 3)],
  }));
}
