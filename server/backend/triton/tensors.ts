import type { ModelInferRequest, ModelInferResponse } from "../../gen/inference/grpc_service.js";
import type { ModelVersion, TokenBatch } from "../backend.js";

const OUTPUT = "logits";

/** A batch as Triton wants it: raw bytes, little-endian as every machine that this runs on is; typed contents took 40 times as long. */
export function inferRequest(
  { name, version }: ModelVersion,
  { rows, tokens, inputIds, attentionMask }: TokenBatch,
): ModelInferRequest {
  const input = (tensor: string) => ({
    name: tensor,
    datatype: "INT64",
    shape: [rows, tokens],
    parameters: {},
    contents: undefined,
  });
  return {
    modelName: name,
    modelVersion: String(version),
    id: "",
    parameters: {},
    inputs: [input("input_ids"), input("attention_mask")],
    outputs: [{ name: OUTPUT, parameters: {} }],
    rawInputContents: [bytesOf(inputIds), bytesOf(attentionMask)],
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: BigInt64Array<ArrayBuffer>) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Logits, shape [rows, classes]. Throws for an answer that is not what was asked for. */
export function logitsOf(
  { outputs, rawOutputContents }: ModelInferResponse,
  rows: number,
): Float32Array {
  const place = outputs.findIndex(({ name }) => name === OUTPUT);
  const output = outputs[place];
  const bytes = rawOutputContents[place];
  const [found, classes] = output?.shape ?? [];
  if (
    output?.datatype !== "FP32" ||
    found !== rows ||
    !classes ||
    bytes?.byteLength !== rows * classes * 4
  ) {
    const shape = output?.shape.join(", ") ?? "none";
    throw new Error(
      `Triton's answer is not ${OUTPUT} FP32 [${rows}, classes] but ${output?.datatype} [${shape}] of ${bytes?.byteLength} bytes`,
    );
  }
  // Copied (a Buffer's own slice would not): the bytes lie in the message at any offset, floats must lie at multiples of four.
  return new Float32Array(new Uint8Array(bytes).buffer);
}
