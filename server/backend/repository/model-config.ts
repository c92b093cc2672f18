import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import textformat from "protobufjs/ext/textformat.js";
import { z } from "zod";
import { messageOf, StartupError } from "../../core/errors.js";
import { readWhole } from "../../core/files.js";
import { LABELS } from "../../core/tiers.js";

/** The build puts Triton's schema of config.pbtxt beside the generated code. */
const SCHEMA = fileURLToPath(new URL("../../gen/model_config.proto", import.meta.url));

const MOST_BYTES = 2 ** 20;

/** Triton's parameters are strings. */
const number = z.string().transform((text) => Number(text || Number.NaN));
/** Less would let a batch have a shape, and take the memory, of many times its tokens. */
const LEAST_PADDING_COST = 0.1;
const share = number.pipe(z.number().min(0).max(1));
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha-256 in hex");
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
  parameters: z
    .record(z.string(), z.object({ stringValue: z.string() }))
    .transform((given) =>
      Object.fromEntries(Object.entries(given).map(([key, { stringValue }]) => [key, stringValue])),
    ),
});

const Parameters = z.object({
  parameters: z.object({
    max_length: number.pipe(z.number().int().min(3).max(8192)),
    temperature: number.pipe(z.number().positive().max(100)),
    cascade_threshold: share.optional(),
    padding_cost: number.pipe(z.number().min(LEAST_PADDING_COST).max(1)).optional(),
    tokenizer_sha256: sha256.optional(),
    candidate_version: number.pipe(z.number().int().min(1)).optional(),
    canary_share: share.optional(),
    shadow_share: share.optional(),
  }),
});

/** A version that is tried out beside the one that is served. */
interface Candidate {
  readonly version: number;
  /** Share of the calls that it answers, 0 to 1. */
  readonly canaryShare: number;
  /** Share of the other calls that are copied to it, to compare; their answers are not changed. 0 to 1. */
  readonly shadowShare: number;
}

export interface ModelConfig {
  readonly name: string;
  /** Tokens that the model reads at once, special tokens included. */
  readonly maxTokens: number;
  /** Logits are divided by it before the softmax. */
  readonly temperature: number;
  /** The cascade passes a text on when this model's confidence in it is under this; undefined: it is not made for it. */
  readonly cascadeThreshold: number | undefined;
  /** What a padded token costs the model on a CPU of one that is read, 0.1 to 1; 1 where the file does not say. */
  readonly paddingCost: number;
  readonly candidate: Candidate | undefined;
  /** sha-256 of the tokenizer.json that the model was made with, hex; undefined where the file does not say. */
  readonly tokenizerDigest: string | undefined;
  /** All of the file's parameters, as they stand there. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads a config.pbtxt (protobuf text format, Triton's ModelConfig). Throws StartupError with the file, the field and the mend. */
export async function readModelConfig(path: string): Promise<ModelConfig> {
  const bytes = await readWhole(path, MOST_BYTES).catch((error: unknown) => {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): add the model's config.pbtxt`,
      error,
    );
  });
  const root = await protobuf.load(SCHEMA);
  const type = root.lookupType("inference.ModelConfig");
  let fields: unknown;
  try {
    fields = type.toObject(textformat.fromText(type, bytes.toString("utf8")), {
      enums: String,
      longs: Number,
    });
  } catch (error) {
    throw new StartupError(
      `${path} is not a Triton model configuration: ${messageOf(error)}`,
      error,
    );
  }
  const { name, parameters } = checked(Config, fields, path);
  const settings = checked(Parameters, { parameters }, path).parameters;
  const { candidate_version: version, canary_share, shadow_share } = settings;
  return {
    name,
    parameters,
    maxTokens: settings.max_length,
    temperature: settings.temperature,
    cascadeThreshold: settings.cascade_threshold,
    paddingCost: settings.padding_cost ?? 1,
    tokenizerDigest: settings.tokenizer_sha256,
    candidate:
      version === undefined
        ? undefined
        : { version, canaryShare: canary_share ?? 0, shadowShare: shadow_share ?? 0 },
  };
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  fields: unknown,
  path: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw new StartupError(
    `${path} does not describe a sentiment model:\n${z.prettifyError(parsed.error)}`,
  );
}
