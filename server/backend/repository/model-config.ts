import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import textformat from "protobufjs/ext/textformat.js";
import { z } from "zod";
import { messageOf, StartupError } from "../../core/errors.js";
import { LABELS } from "../../core/tiers.js";

/** The build puts Triton's schema of config.pbtxt beside the generated code. */
const SCHEMA = fileURLToPath(new URL("../../gen/model_config.proto", import.meta.url));

/** Triton's parameters are strings. */
const parameter = z
  .object({ stringValue: z.string() })
  .transform(({ stringValue }) => Number(stringValue || Number.NaN));
const tensor = (name: string, dataType: string, dims: readonly number[]) =>
  z.object({
    name: z.literal(name),
    dataType: z.literal(dataType),
    dims: z
      .array(z.coerce.number())
      .refine((given) => String(given) === String(dims), `must be [${dims}]`),
  });

/** What this server needs of a config.pbtxt; Triton itself reads the rest. */
const Config = z.object({
  name: z.string(),
  backend: z.literal("onnxruntime"),
  input: z.tuple([
    tensor("input_ids", "TYPE_INT64", [-1]),
    tensor("attention_mask", "TYPE_INT64", [-1]),
  ]),
  output: z.tuple([tensor("logits", "TYPE_FP32", [LABELS.length])]),
  parameters: z.object({
    max_length: parameter.pipe(z.number().int().min(3).max(8192)),
    temperature: parameter.pipe(z.number().positive().max(100)),
    cascade_threshold: parameter.pipe(z.number().min(0).max(1)).optional(),
  }),
});

export interface ModelConfig {
  readonly name: string;
  /** Tokens that the model reads at once, special tokens included. */
  readonly maxTokens: number;
  /** Logits are divided by it before the softmax. */
  readonly temperature: number;
  /** The cascade passes a text on when this model's confidence in it is under this; undefined: it is not made for it. */
  readonly cascadeThreshold: number | undefined;
}

/** Reads a config.pbtxt (protobuf text format, Triton's ModelConfig). Throws StartupError with the file, the field and the mend. */
export async function readModelConfig(path: string): Promise<ModelConfig> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): add the model's config.pbtxt`,
      error,
    );
  });
  const root = await protobuf.load(SCHEMA);
  const type = root.lookupType("inference.ModelConfig");
  let fields: unknown;
  try {
    fields = type.toObject(textformat.fromText(type, text), { enums: String, longs: Number });
  } catch (error) {
    throw new StartupError(
      `${path} is not a Triton model configuration: ${messageOf(error)}`,
      error,
    );
  }
  const parsed = Config.safeParse(fields);
  if (!parsed.success) {
    throw new StartupError(
      `${path} does not describe a sentiment model:\n${z.prettifyError(parsed.error)}`,
    );
  }
  const { name, parameters } = parsed.data;
  return {
    name,
    maxTokens: parameters.max_length,
    temperature: parameters.temperature,
    cascadeThreshold: parameters.cascade_threshold,
  };
}
