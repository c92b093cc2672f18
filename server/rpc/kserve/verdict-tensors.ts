import type { Verdict } from "../../classify/classifier.js";
import { LABELS } from "../../core/tiers.js";
import type {
  ModelInferResponse,
  ModelInferRequest_InferRequestedOutputTensor as RequestedOutput,
} from "../../gen/inference/grpc_service.js";
import { echoOf } from "../validate.js";
import { invalid, LENGTH_BYTES } from "./text-tensor.js";

const FLOAT_BYTES = 4;
/** What Triton's clients may ask for of an output, and would take plain contents for. */
const OTHER_FORMS = ["classification", "shared_memory_region"];

/** What of a verdict the outputs say. */
type Answer = Pick<Verdict, "label" | "score" | "probabilities">;

interface Output {
  readonly datatype: "BYTES" | "FP32";
  /** Elements a text. */
  readonly columns: number;
  readonly encode: (answers: readonly Answer[]) => Uint8Array;
}

export type OutputName = "LABEL" | "SCORE" | "PROBABILITIES";
export const OUTPUTS: Readonly<Record<OutputName, Output>> = {
  LABEL: {
    datatype: "BYTES",
    columns: 1,
    encode: (answers) => bytesTensor(answers.map(({ label }) => label)),
  },
  SCORE: {
    datatype: "FP32",
    columns: 1,
    encode: (answers) => floatsTensor(answers.map(({ score }) => score)),
  },
  PROBABILITIES: {
    datatype: "FP32",
    columns: LABELS.length,
    encode: (answers) => floatsTensor(answers.flatMap(({ probabilities }) => probabilities)),
  },
};
export const OUTPUT_NAMES = Object.keys(OUTPUTS) as readonly OutputName[];

/** The outputs that are asked for, in that order; all where none is. Throws TENSOR_INVALID. */
export function outputNamesOf(requested: readonly RequestedOutput[]): readonly OutputName[] {
  if (requested.length === 0) return OUTPUT_NAMES;
  if (requested.length > OUTPUT_NAMES.length) {
    const message = `${requested.length} outputs are asked for: ask for ${OUTPUT_NAMES.join(", ")}, each once at most.`;
    throw invalid(message, "outputs");
  }
  const names = requested.map(({ name, parameters }, index) => {
    const field = `outputs[${index}]`;
    if (!isOutput(name)) {
      const message = `The output ${echoOf(name)} is unknown: ask for ${OUTPUT_NAMES.join(", ")}.`;
      throw invalid(message, `${field}.name`);
    }
    const form = OTHER_FORMS.find((other) => Object.hasOwn(parameters, other));
    if (form === undefined) return name;
    throw invalid(`${form} is not served: ask for ${name} as it is.`, `${field}.parameters`);
  });
  if (new Set(names).size < names.length)
    throw invalid("An output is asked for twice: ask for each once at most.", "outputs");
  return names;
}

const isOutput = (name: string): name is OutputName => Object.hasOwn(OUTPUTS, name);

/** The answers, one a text, as tensors: LABEL and SCORE in the shape of the input, PROBABILITIES [n, 3] in the order of LABELS. */
export function outputsOf(
  names: readonly OutputName[],
  answers: readonly Answer[],
  shape: readonly number[],
): Pick<ModelInferResponse, "outputs" | "rawOutputContents"> {
  return {
    outputs: names.map((name) => {
      const { datatype, columns } = OUTPUTS[name];
      return {
        name,
        datatype,
        shape: columns === 1 ? [...shape] : [answers.length, columns],
        parameters: {},
        contents: undefined,
      };
    }),
    rawOutputContents: names.map((name) => OUTPUTS[name].encode(answers)),
  };
}

function bytesTensor(elements: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = elements.map((element) => encoder.encode(element));
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  const view = new DataView(bytes.buffer);
  let place = 0;
  for (const part of parts) {
    view.setUint32(place, part.length, true);
    bytes.set(part, place + LENGTH_BYTES);
    place += LENGTH_BYTES + part.length;
  }
  return bytes;
}

function floatsTensor(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * FLOAT_BYTES));
  for (const [place, value] of values.entries()) view.setFloat32(place * FLOAT_BYTES, value, true);
  return new Uint8Array(view.buffer);
}
