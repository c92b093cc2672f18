import { ServiceError } from "../../core/errors.js";
import type { Tier } from "../../core/tiers.js";
import type { ModelMetadataResponse } from "../../gen/inference/grpc_service.js";
import {
  DataType,
  ModelConfig,
  ModelInput,
  ModelOutput,
} from "../../gen/inference/model_config.js";
import { Tier as TierMessage } from "../../gen/sentiment/v1/sentiment.js";
import { type ServiceParts, servesCascade } from "../analyzer.js";
import { TIER } from "../replies.js";
import { echoOf } from "../validate.js";
import { INPUT } from "./text-tensor.js";
import { OUTPUT_NAMES, OUTPUTS } from "./verdict-tensors.js";

/** A model as the KServe protocol names it. */
export interface NamedModel {
  readonly name: string;
  /** A whole number, as Triton's are. */
  readonly version: string;
  /** What the path of a request is asked for. */
  readonly tier: TierMessage;
  isReady(): boolean;
  /** Calls for it are answered, the first one perhaps once it has loaded it. */
  canServe(): boolean;
}

const CASCADE_TIERS: readonly Tier[] = ["fast", "accurate"];
const CASCADE_NAME = "sentiment_auto";
/** The cascade has no files of its own, so it counts no versions. */
const CASCADE_VERSION = "1";
/** Every model is an ONNX file, whatever runs it. */
const PLATFORM = "onnxruntime_onnx";
const BACKEND = "onnxruntime";
const DATA_TYPE = { BYTES: DataType.TYPE_STRING, FP32: DataType.TYPE_FP32 } as const;

/** The models of all tiers, and the cascade where it is served. */
export function namedModels({ models }: Pick<ServiceParts, "models">): readonly NamedModel[] {
  const served = models.list();
  const named: NamedModel[] = served.map((model) => ({
    name: model.name,
    version: numberOf(model.version),
    tier: TIER[model.tier],
    isReady: () => model.isReady(),
    canServe: () => model.canServe(),
  }));
  if (!servesCascade(models)) return named;
  const cascade = served.filter(({ tier }) => CASCADE_TIERS.includes(tier));
  const auto = {
    name: CASCADE_NAME,
    version: CASCADE_VERSION,
    tier: TierMessage.TIER_AUTO,
    isReady: () => cascade.every((model) => model.isReady()),
    canServe: () => cascade.every((model) => model.canServe()),
  };
  return [...named, auto];
}

/** `1+embedded.01234567` is the version 1, run and checked so: the protocol's clients read a number. */
export const numberOf = (version: string): string => version.split("+", 1)[0] ?? version;

/** An empty version is any. */
export const isNamed = (model: NamedModel, name: string, version: string): boolean =>
  model.name === name && (version === "" || model.version === version);

/** Throws MODEL_UNKNOWN. `prefix` is what comes before `name` and `version` in the names of the request's fields. */
export function modelNamed<Model extends NamedModel>(
  models: readonly Model[],
  name: string,
  version: string,
  prefix = "",
): Model {
  const model = models.find((one) => isNamed(one, name, version));
  if (model !== undefined) return model;
  const served = models.find((one) => one.name === name);
  if (served !== undefined) {
    const message = `The model ${name} has no version ${echoOf(version)}: ask for ${served.version}, or for none.`;
    throw new ServiceError("MODEL_UNKNOWN", message, { field: `${prefix}version` });
  }
  const names = models.map((one) => one.name).join(", ");
  const message = `The model ${echoOf(name)} is not served here: use ${names}.`;
  throw new ServiceError("MODEL_UNKNOWN", message, { field: `${prefix}name` });
}

/** What clients learn of a model's tensors; -1 is the number of texts. */
export const metadataOf = ({ name, version }: NamedModel): ModelMetadataResponse => ({
  name,
  versions: [version],
  platform: PLATFORM,
  inputs: [{ name: INPUT, datatype: "BYTES", shape: [-1, 1] }],
  outputs: OUTPUT_NAMES.map((output) => ({
    name: output,
    datatype: OUTPUTS[output].datatype,
    shape: [-1, OUTPUTS[output].columns],
  })),
});

const nothing = new Uint8Array();

/** The same as a config.pbtxt would say it: the number of texts is no dimension there, but the batch. */
export const configOf = ({ name }: NamedModel, maxBatchTexts: number): ModelConfig => ({
  // Of the 26 fields most are for the server that runs a model: decoding nothing leaves them unset.
  ...ModelConfig.decode(nothing),
  name,
  platform: PLATFORM,
  backend: BACKEND,
  maxBatchSize: maxBatchTexts,
  input: [
    { ...ModelInput.decode(nothing), name: INPUT, dataType: DataType.TYPE_STRING, dims: [1] },
  ],
  output: OUTPUT_NAMES.map((output) => ({
    ...ModelOutput.decode(nothing),
    name: output,
    dataType: DATA_TYPE[OUTPUTS[output].datatype],
    dims: [OUTPUTS[output].columns],
  })),
});
