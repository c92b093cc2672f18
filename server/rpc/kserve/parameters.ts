import type { LongText } from "../../classify/windows.js";
import { ServiceError } from "../../core/errors.js";
import type { InferParameter, ModelInferRequest } from "../../gen/inference/grpc_service.js";
import {
  type AnalyzeOptions,
  LongText as LongTextMessage,
} from "../../gen/sentiment/v1/sentiment.js";

type Parameters = ModelInferRequest["parameters"];

const LONG_TEXT: Readonly<Record<LongText, LongTextMessage>> = {
  windows: LongTextMessage.LONG_TEXT_WINDOWS,
  truncate: LongTextMessage.LONG_TEXT_TRUNCATE,
  reject: LongTextMessage.LONG_TEXT_REJECT,
};

/**
 * The options that a request's parameters name: `skip_cache` (bool) and `long_text` (string: windows, truncate, reject). Others
 * are passed over, as by Triton: stock clients send parameters for other servers. Throws OPTION_UNKNOWN for a wrong value.
 */
export const optionsOf = (parameters: Parameters): AnalyzeOptions => ({
  explain: false,
  sentences: false,
  skipCache: skipCacheOf(parameters),
  longText: longTextOf(parameters),
});

function skipCacheOf(parameters: Parameters): boolean {
  const given = named(parameters, "skip_cache");
  if (given === undefined) return false;
  if (given.boolParam === undefined) throw wrong("skip_cache", "a bool");
  return given.boolParam;
}

function longTextOf(parameters: Parameters): LongTextMessage {
  const given = named(parameters, "long_text");
  if (given === undefined) return LongTextMessage.LONG_TEXT_UNSPECIFIED;
  const word = given.stringParam ?? "";
  if (Object.hasOwn(LONG_TEXT, word)) return LONG_TEXT[word as LongText];
  throw wrong("long_text", `a string, ${Object.keys(LONG_TEXT).join(", ")}`);
}

/** The names come from the client: `constructor` is one like any other. */
const named = (parameters: Parameters, name: string): InferParameter | undefined =>
  Object.hasOwn(parameters, name) ? parameters[name] : undefined;

const wrong = (name: string, wanted: string) =>
  new ServiceError("OPTION_UNKNOWN", `The parameter ${name} must be ${wanted}.`, {
    field: `parameters[${name}]`,
  });
