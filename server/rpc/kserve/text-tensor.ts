import { ServiceError } from "../../core/errors.js";
import type {
  ModelInferRequest_InferInputTensor as InputTensor,
  ModelInferRequest,
} from "../../gen/inference/grpc_service.js";
import { checkBatchSize, echoOf } from "../validate.js";
import { textOf } from "../wire-text.js";

/** The one input of every model: BYTES, shape [n] or [n, 1]. */
export const INPUT = "TEXT";

/** In a BYTES tensor each element is preceded by its length in bytes, little-endian. */
export const LENGTH_BYTES = 4;
const WANTED = `send one input ${INPUT}, datatype BYTES, shape [n] or [n, 1]`;

export const invalid = (message: string, field: string) =>
  new ServiceError("TENSOR_INVALID", message, { field });

/**
 * The texts of a request, still to be checked one by one, and the shape that they came in: [n] or [n, 1], n from 1 to
 * `mostTexts`. Throws TENSOR_INVALID, BATCH_EMPTY or BATCH_TOO_LARGE.
 */
export function textsOf(
  { inputs, rawInputContents }: Pick<ModelInferRequest, "inputs" | "rawInputContents">,
  mostTexts: number,
): { readonly texts: readonly string[]; readonly shape: readonly number[] } {
  const input = soleInput(inputs);
  const count = countOf(input.shape);
  checkBatchSize(count, mostTexts, INPUT);
  const typed = typedElements(input);
  const elements =
    rawInputContents.length > 0
      ? rawElements(rawInputContents, typed, count)
      : countedElements(typed, count);
  return { texts: elements.map(textOf), shape: input.shape };
}

function soleInput(inputs: readonly InputTensor[]): InputTensor {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1)
    throw invalid(`The request has ${inputs.length} inputs: ${WANTED}.`, "inputs");
  if (input.name !== INPUT)
    throw invalid(`The input ${echoOf(input.name)} is unknown: ${WANTED}.`, "inputs[0].name");
  if (input.datatype !== "BYTES") {
    const message = `${INPUT} has the datatype ${echoOf(input.datatype)}: ${WANTED}.`;
    throw invalid(message, "inputs[0].datatype");
  }
  if (Object.hasOwn(input.parameters, "shared_memory_region")) {
    const message = `${INPUT} lies in shared memory, which is not served: send it in raw_input_contents.`;
    throw invalid(message, "inputs[0].parameters");
  }
  return input;
}

function countOf(shape: readonly number[]): number {
  const [count, columns] = shape;
  const fits = shape.length === 1 || (shape.length === 2 && columns === 1);
  if (fits && count !== undefined && count >= 0) return count;
  const shown = shape.length > 4 ? [...shape.slice(0, 4), "..."] : shape;
  throw invalid(`${INPUT} has the shape [${shown.join(", ")}]: ${WANTED}.`, "inputs[0].shape");
}

/** What `contents` of the tensor holds; undefined for nothing at all. */
function typedElements({ contents }: InputTensor): readonly Uint8Array[] | undefined {
  if (contents === undefined) return undefined;
  const { bytesContents, ...others } = contents;
  const other = Object.values(others).some((values) => values.length > 0);
  if (other) {
    const message = `${INPUT} has contents of another datatype: put the texts into bytes_contents alone.`;
    throw invalid(message, "inputs[0].contents");
  }
  return bytesContents.length > 0 ? bytesContents : undefined;
}

function countedElements(
  typed: readonly Uint8Array[] | undefined,
  count: number,
): readonly Uint8Array[] {
  if (typed?.length === count) return typed;
  const message =
    typed === undefined
      ? `${INPUT} has no contents: send them in raw_input_contents, or in contents.bytes_contents.`
      : `${INPUT} has ${typed.length} elements in bytes_contents, its shape says ${count}: make them equal.`;
  throw invalid(message, "inputs[0].contents.bytes_contents");
}

function rawElements(
  raw: readonly Uint8Array[],
  typed: readonly Uint8Array[] | undefined,
  count: number,
): readonly Uint8Array[] {
  const [bytes] = raw;
  if (bytes === undefined || raw.length > 1) {
    const message = `raw_input_contents has ${raw.length} entries for one input: send one.`;
    throw invalid(message, "raw_input_contents");
  }
  if (typed !== undefined) {
    const message = `${INPUT} has contents and raw_input_contents: send one of the two.`;
    throw invalid(message, "raw_input_contents");
  }
  return split(bytes, count);
}

/** The elements of a BYTES tensor: views, not copies. */
function split(bytes: Uint8Array, count: number): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let place = 0;
  const elements = Array.from({ length: count }, (_, index) => {
    const begin = place + LENGTH_BYTES;
    const end = begin <= bytes.length ? begin + view.getUint32(place, true) : begin;
    if (end > bytes.length) {
      const message = `${INPUT}[${index}] is cut off: before each text goes its length in bytes, 4 bytes, little-endian.`;
      throw invalid(message, "raw_input_contents[0]");
    }
    place = end;
    return bytes.subarray(begin, end);
  });
  if (place < bytes.length) {
    const message = `${INPUT} has ${bytes.length - place} bytes more than the ${count} texts of its shape: make them equal.`;
    throw invalid(message, "raw_input_contents[0]");
  }
  return elements;
}
