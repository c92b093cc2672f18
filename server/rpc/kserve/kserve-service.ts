import type { Verdict } from "../../classify/classifier.js";
import type { Call } from "../../core/call.js";
import { ServiceError } from "../../core/errors.js";
import {
  GRPCInferenceServiceDefinition,
  type GRPCInferenceServiceImplementation,
  type ModelInferRequest,
} from "../../gen/inference/grpc_service.js";
import type { Analyze, ServiceParts } from "../analyzer.js";
import type { CallExt } from "../call-context.js";
import type { Drain } from "../drain.js";
import type { Check } from "../entrance.js";
import { failedText } from "../text-outcome.js";
import { checkId, checkText } from "../validate.js";
import {
  configOf,
  isNamed,
  metadataOf,
  modelNamed,
  type NamedModel,
  namedModels,
  numberOf,
} from "./models.js";
import { optionsOf } from "./parameters.js";
import { createStatistics, type Statistics } from "./statistics.js";
import { INPUT, textsOf } from "./text-tensor.js";
import { outputNamesOf, outputsOf } from "./verdict-tensors.js";

const SERVER_NAME = "sentiment-analyzer-pro";
/** By the names that Triton gives them; only what is served here. */
const EXTENSIONS = ["model_configuration", "parameters", "statistics"];

const notServed = (what: string) => (): never => {
  throw new ServiceError("NOT_IMPLEMENTED", what);
};

/**
 * The KServe v2 protocol (Open Inference Protocol), so that clients made for Triton can ask this server: texts in, verdicts out,
 * by the path of AnalyzeBatch. `version` is the server's.
 */
export function kserveService(
  parts: ServiceParts,
  analyze: Analyze,
  drain: Pick<Drain, "announced">,
  version: string,
): GRPCInferenceServiceImplementation<CallExt> {
  const { limits, clock, events } = parts;
  /** Anew for each call: a tier's version changes when its model is loaded again. */
  const named = () => namedModels(parts);
  const counted = new Map<string, Statistics>();
  const statisticsOf = ({ name, version }: NamedModel): Statistics => {
    const key = `${name}/${version}`;
    const statistics = counted.get(key) ?? createStatistics();
    counted.set(key, statistics);
    return statistics;
  };

  /** The path that AnalyzeBatch takes too: one verdict a text. */
  const verdictsOf = async (
    texts: readonly string[],
    { tier }: NamedModel,
    { parameters }: ModelInferRequest,
    call: Call,
  ): Promise<readonly Verdict[]> => {
    const options = optionsOf(parameters);
    for (const [index, text] of texts.entries())
      checkText(text, limits.maxTextLength, `${INPUT}[${index}]`);
    return (await analyze(texts, tier, options, call)).map(verdictOf);
  };

  return {
    serverLive: async () => ({ live: true }),
    serverReady: async () => ({
      ready: !drain.announced && named().every((model) => model.canServe()),
    }),
    // Unknown models are not ready: so says Triton too.
    modelReady: async (request) => ({
      ready:
        !drain.announced &&
        named().some((model) => isNamed(model, request.name, request.version) && model.isReady()),
    }),
    serverMetadata: async () => ({ name: SERVER_NAME, version, extensions: [...EXTENSIONS] }),
    modelMetadata: async (request) =>
      metadataOf(modelNamed(named(), request.name, request.version)),
    modelConfig: async (request) => ({
      config: configOf(modelNamed(named(), request.name, request.version), limits.maxBatchTexts),
    }),

    async modelInfer(request, { call }) {
      const model = modelNamed(named(), request.modelName, request.modelVersion, "model_");
      const startedMs = clock.now();
      let asked = 0;
      try {
        checkId(request.id);
        const outputNames = outputNamesOf(request.outputs);
        const { texts, shape } = textsOf(request, limits.maxBatchTexts);
        asked = texts.length;
        const verdicts = await verdictsOf(texts, model, request, call);
        const answeredMs = clock.now();
        const outputs = outputsOf(outputNames, verdicts, shape);
        const endedMs = clock.now();
        statisticsOf(model).succeeded(verdicts, endedMs - startedMs, endedMs - answeredMs);
        for (const verdict of verdicts) events.answered("ModelInfer", verdict);
        return {
          modelName: model.name,
          modelVersion: verdicts[0] ? numberOf(verdicts[0].version) : model.version,
          id: request.id,
          parameters: {},
          ...outputs,
        };
      } catch (error) {
        statisticsOf(model).failed(clock.now() - startedMs);
        // Those of a call whose texts could not be read are not known.
        if (asked > 0) events.failed("ModelInfer", failedText(error, call, clock), asked);
        throw error;
      }
    },

    async modelStatistics(request) {
      const asked =
        request.name === "" ? named() : [modelNamed(named(), request.name, request.version)];
      return {
        modelStats: asked.map((model) => statisticsOf(model).message(model.name, model.version)),
      };
    },

    async repositoryIndex(request) {
      const asked = named().filter((model) => model.isReady() || !request.ready);
      return {
        models: asked.map((model) => ({
          name: model.name,
          version: model.version,
          state: model.isReady() ? "READY" : "UNAVAILABLE",
          reason: model.isReady() ? "" : "not loaded: the first call loads it",
        })),
      };
    },

    modelStreamInfer: notServed(
      "ModelStreamInfer is not served: send ModelInfer calls, or use sentiment.v1.SentimentService/AnalyzeStream.",
    ),
    repositoryModelLoad: notServed(
      "RepositoryModelLoad is not served: use sentiment.v1.AdminService/LoadModel.",
    ),
    repositoryModelUnload: notServed(
      "RepositoryModelUnload is not served: use sentiment.v1.AdminService/UnloadModel.",
    ),
  };
}

/** One bad text fails the whole call, because this protocol has no errors of single texts: so the error says which it is. */
function verdictOf(outcome: PromiseSettledResult<Verdict>, index: number): Verdict {
  if (outcome.status === "fulfilled") return outcome.value;
  const { reason } = outcome;
  if (!(reason instanceof ServiceError && reason.reason.startsWith("TEXT_"))) throw reason;
  const field = `${INPUT}[${index}]`;
  throw new ServiceError(reason.reason, `${field}: ${reason.message}`, { ...reason.hints, field });
}

const { fullName, methods } = GRPCInferenceServiceDefinition;
/** By their paths. */
export const PROBES: ReadonlySet<string> = new Set(
  [methods.serverLive, methods.serverReady, methods.modelReady].map(
    ({ name }) => `/${fullName}/${name}`,
  ),
);

/** The check of all calls but probes: those are answered as long as the port is open, and have no keys. */
export const allButProbes =
  (check: Check): Check =>
  (metadata, path, peer) =>
    PROBES.has(path) ? undefined : check(metadata, path, peer);
