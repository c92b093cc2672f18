import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { HealthDefinition } from "nice-grpc-server-health";
import {
  GRPCInferenceServiceDefinition,
  type ModelInferRequest,
} from "../../server/gen/inference/grpc_service.js";
import {
  AdminServiceDefinition,
  type AnalyzeOptions,
  type LongText,
  SentimentServiceDefinition,
  type Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { bytesTensor, contentsOf, input } from "../support/infer-messages.js";
import { type Draw, happens, oneOf } from "./draw.js";
import { oddText, shortText } from "./texts.js";

/** A method that the server has. */
export interface Method {
  readonly path: string;
  readonly weight: number;
  /** Needs the right `admin`. */
  readonly isAdmins: boolean;
  /** Takes any number of messages. */
  readonly isStream: boolean;
  /** Goes on until the client leaves. */
  readonly isEndless: boolean;
  /** What it does may not be left to chance (a heap snapshot stops the process): spoilt messages go with a key that may not. */
  readonly isDelicate: boolean;
  /** A message that can be read, though there may be nothing sensible in it. */
  message(draw: Draw): Uint8Array;
}

interface Defined<Request> {
  readonly name: string;
  readonly requestType: { encode(request: Request): { finish(): Uint8Array } };
}

const plain = { isAdmins: false, isStream: false, isEndless: false, isDelicate: false };

const method = <Request>(
  service: string,
  { name, requestType }: Defined<Request>,
  weight: number,
  request: (draw: Draw) => Request,
  given: Partial<typeof plain> = {},
): Method => ({
  ...plain,
  ...given,
  path: `/${service}/${name}`,
  weight,
  message: (draw) => requestType.encode(request(draw)).finish(),
});

/** Mostly fast: the others take as long as five of it. */
const tierOf = (draw: Draw): Tier =>
  (happens(draw, 950) ? 1 : oneOf(draw, [0, 2, 3, 4, 5, -1, 2 ** 31 - 1])) as Tier;

function optionsOf(draw: Draw): AnalyzeOptions | undefined {
  if (happens(draw, 600)) return undefined;
  const longText = oneOf(draw, [0, 1, 2, 3, 4, -7]) as LongText;
  return {
    explain: happens(draw, 10),
    sentences: happens(draw, 60),
    skipCache: happens(draw, 20),
    longText,
  };
}

const textOf = (draw: Draw): string => (happens(draw, 20) ? oddText(draw) : shortText(draw));
const idOf = (draw: Draw): string => "i".repeat(oneOf(draw, [0, 1, 8, 127, 128, 129, 5000]));
const NAMES = [
  "sentiment_fast",
  "sentiment_auto",
  "sentiment_slow",
  "",
  "__proto__",
  "constructor",
  "n".repeat(3000),
  "sentiment.v1.SentimentService",
  "google/protobuf/timestamp.proto",
  "\0",
  "\u202e",
];
const nameOf = (draw: Draw): string => oneOf(draw, NAMES);
const versionOf = (draw: Draw): string => oneOf(draw, ["", "1", "2", "-1", "one", "1".repeat(400)]);
const named = (draw: Draw) => ({ name: nameOf(draw), version: versionOf(draw) });

function parametersOf(draw: Draw): ModelInferRequest["parameters"] {
  const names = ["skip_cache", "long_text", "__proto__", "timeout", "priority"];
  const values = [
    { boolParam: true },
    { stringParam: "truncate" },
    { stringParam: "x".repeat(500) },
    { int64Param: -1 },
    { doubleParam: Number.NaN },
    {},
  ];
  const some = names.filter(() => happens(draw, 150));
  return Object.fromEntries(some.map((name) => [name, oneOf(draw, values)]));
}

const OUTPUTS = ["LABEL", "SCORE", "PROBABILITIES", "LOGITS", ""];

function inferOf(draw: Draw): ModelInferRequest {
  const texts = Array.from({ length: draw(0, 3) }, () => textOf(draw));
  const shape = oneOf(draw, [[texts.length], [texts.length, 1], [-1], [2 ** 40], [1, 2, 3], []]);
  const contents = contentsOf({ bytesContents: texts.map((text) => Buffer.from(text)) });
  const tensor = input({
    name: oneOf(draw, ["TEXT", "TEXT", "TEXT", "text", ""]),
    datatype: oneOf(draw, ["BYTES", "BYTES", "BYTES", "FP32", ""]),
    shape,
    parameters: parametersOf(draw),
    contents: happens(draw, 300) ? contents : undefined,
  });
  return {
    modelName: happens(draw, 800) ? "sentiment_fast" : nameOf(draw),
    modelVersion: happens(draw, 800) ? "" : versionOf(draw),
    id: idOf(draw),
    parameters: parametersOf(draw),
    inputs: Array<typeof tensor>(oneOf(draw, [1, 1, 1, 0, 2])).fill(tensor),
    outputs: OUTPUTS.filter(() => happens(draw, 200)).map((name) => ({ name, parameters: {} })),
    rawInputContents: happens(draw, 700) ? [bytesTensor(texts)] : [],
  };
}

const SENTIMENT = SentimentServiceDefinition.fullName;
const ADMIN = AdminServiceDefinition.fullName;
const KSERVE = GRPCInferenceServiceDefinition.fullName;
const HEALTH = HealthDefinition.fullName;
const sentiment = SentimentServiceDefinition.methods;
const admin = AdminServiceDefinition.methods;
const kserve = GRPCInferenceServiceDefinition.methods;

const SENTIMENT_METHODS = [
  method(SENTIMENT, sentiment.analyze, 300, (draw) => ({
    text: textOf(draw),
    tier: tierOf(draw),
    options: optionsOf(draw),
  })),
  method(SENTIMENT, sentiment.analyzeBatch, 60, (draw) => ({
    texts: Array.from({ length: oneOf(draw, [0, 1, 2, 5, 101]) }, () => textOf(draw)),
    tier: tierOf(draw),
    options: optionsOf(draw),
  })),
  method(
    SENTIMENT,
    sentiment.analyzeStream,
    80,
    (draw) => ({
      id: idOf(draw),
      text: textOf(draw),
      tier: tierOf(draw),
      options: optionsOf(draw),
    }),
    { isStream: true },
  ),
  method(SENTIMENT, sentiment.listModels, 20, () => ({})),
];

const ADMINS = { isAdmins: true };
const ADMIN_METHODS = [
  method(
    ADMIN,
    admin.warmCache,
    5,
    (draw) => ({
      texts: Array.from({ length: oneOf(draw, [0, 1, 3]) }, () => textOf(draw)),
      tier: tierOf(draw),
    }),
    ADMINS,
  ),
  method(
    ADMIN,
    admin.clearCache,
    2,
    (draw) => ({ cache: oneOf(draw, [0, 1, 2, 3, 9]) as 0, model: nameOf(draw) }),
    ADMINS,
  ),
  // Of tiers that cannot be meant: whole models are loaded elsewhere (model-control.test.ts).
  method(ADMIN, admin.loadModel, 5, (draw) => ({ tier: oneOf(draw, [0, 4, 5, -1]) as Tier }), {
    isAdmins: true,
    isDelicate: true,
  }),
  method(ADMIN, admin.unloadModel, 5, (draw) => ({ tier: oneOf(draw, [0, 4, 5, -1]) as Tier }), {
    isAdmins: true,
    isDelicate: true,
  }),
  method(
    ADMIN,
    admin.captureProfile,
    5,
    (draw) => ({
      kind: oneOf(draw, [0, 1, 3, 4, -1]) as 0,
      duration: { seconds: oneOf(draw, [-1, 0, 61, 2 ** 53 - 1]), nanos: oneOf(draw, [0, -1]) },
    }),
    { isAdmins: true, isDelicate: true },
  ),
  method(ADMIN, admin.getStatus, 5, () => ({}), ADMINS),
];

const repository = (draw: Draw) => ({
  repositoryName: nameOf(draw),
  modelName: nameOf(draw),
  parameters: {},
});
const KSERVE_METHODS = [
  method(KSERVE, kserve.modelInfer, 120, inferOf),
  method(KSERVE, kserve.modelStreamInfer, 5, inferOf, { isStream: true }),
  method(KSERVE, kserve.serverLive, 5, () => ({})),
  method(KSERVE, kserve.serverReady, 5, () => ({})),
  method(KSERVE, kserve.modelReady, 10, named),
  method(KSERVE, kserve.serverMetadata, 5, () => ({})),
  method(KSERVE, kserve.modelMetadata, 10, named),
  method(KSERVE, kserve.modelConfig, 10, named),
  method(KSERVE, kserve.modelStatistics, 10, named),
  method(KSERVE, kserve.repositoryIndex, 5, (draw) => ({
    repositoryName: nameOf(draw),
    ready: happens(draw, 500),
  })),
  method(KSERVE, kserve.repositoryModelLoad, 5, repository),
  method(KSERVE, kserve.repositoryModelUnload, 5, repository),
];

const health = (draw: Draw) => ({ service: nameOf(draw) });
const HEALTH_METHODS = [
  method(HEALTH, HealthDefinition.methods.check, 20, health),
  method(HEALTH, HealthDefinition.methods.watch, 10, health, { isEndless: true }),
];

/** Its messages are written by hand: the server's copy of it is no module of ours. */
const REFLECTION: Method = {
  ...plain,
  path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  weight: 30,
  isStream: true,
  message(draw) {
    const writer = new BinaryWriter();
    const field = oneOf(draw, [1, 3, 4, 5, 6, 7]);
    writer.tag(field, WireType.LengthDelimited);
    if (field !== 5) return writer.string(nameOf(draw)).finish();
    writer.fork().tag(1, WireType.LengthDelimited).string(nameOf(draw));
    return writer.tag(2, WireType.Varint).int32(draw(-1, 100)).join().finish();
  },
};

export const METHODS: readonly Method[] = [
  ...SENTIMENT_METHODS,
  ...ADMIN_METHODS,
  ...KSERVE_METHODS,
  ...HEALTH_METHODS,
  REFLECTION,
];
