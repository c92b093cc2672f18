import type { CallContext } from "nice-grpc-common";
import type { Verdict } from "../classify/classifier.js";
import type {
  AnalyzeOptions,
  AnalyzeResult,
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
  SentimentServiceImplementation,
  Tier as TierMessage,
} from "../gen/sentiment/v1/sentiment.js";
import type { Analyze, ServiceParts } from "./analyzer.js";
import type { Drain } from "./drain.js";
import { outOfOrder } from "./out-of-order.js";
import { modelMessage, sentimentMessage, timingMessage } from "./replies.js";
import { type ReportBug, statusOf } from "./status.js";
import { checkBatchSize, checkId, checkText, echoOf } from "./validate.js";

export function sentimentService(
  parts: ServiceParts,
  analyze: Analyze,
  drain: Drain,
): SentimentServiceImplementation {
  const { models, defaultTier, limits, clock, reportBug } = parts;

  const analyzeOne = async (
    text: string,
    tier: TierMessage,
    options: AnalyzeOptions | undefined,
    signal: AbortSignal,
  ) => {
    checkText(text, limits.maxTextLength, "text");
    const [outcome] = await analyze([text], tier, options, signal);
    if (outcome?.status === "fulfilled") return outcome.value;
    throw outcome?.reason ?? new Error("the text has no outcome");
  };

  const answerOf = async (
    request: AnalyzeStreamRequest,
    context: CallContext,
  ): Promise<AnalyzeStreamResponse> => {
    try {
      checkId(request.id);
      const verdict = await analyzeOne(request.text, request.tier, request.options, context.signal);
      return { id: request.id, sentiment: sentimentMessage(verdict) };
    } catch (error) {
      // The client has left: nobody reads the answer, and its leaving is no bug.
      const report = context.signal.aborted ? () => {} : reportBug;
      return { id: echoOf(request.id), error: statusOf(error, report) };
    }
  };

  return {
    async analyze({ text, tier, options }, { signal }) {
      const startedMs = clock.now();
      const verdict = await analyzeOne(text, tier, options, signal);
      return {
        sentiment: sentimentMessage(verdict),
        timing: timingMessage(verdict, clock.now() - startedMs),
      };
    },

    async analyzeBatch({ texts, tier, options }, { signal }) {
      checkBatchSize(texts.length, limits.maxBatchTexts);
      const faults = texts.map((text, index) =>
        faultOf(() => checkText(text, limits.maxTextLength, `texts[${index}]`)),
      );
      const good = texts.filter((_, index) => faults[index] === undefined);
      const outcomes = (await analyze(good, tier, options, signal)).values();
      const results = faults.map((fault, index) => {
        const outcome =
          fault === undefined
            ? outcomes.next().value
            : { status: "rejected" as const, reason: fault };
        return resultMessage(index, outcome, reportBug);
      });
      return { results };
    },

    analyzeStream: (requests, context) =>
      drain.cutShort(requests, (read) =>
        outOfOrder(read, limits.maxStreamTexts, (request) => answerOf(request, context)),
      ),

    listModels: async () => ({
      models: models.list().map((model) => modelMessage(model, defaultTier)),
    }),
  };
}

function faultOf(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}

function resultMessage(
  index: number,
  outcome: PromiseSettledResult<Verdict> | undefined,
  reportBug: ReportBug,
): AnalyzeResult {
  if (outcome?.status === "fulfilled") return { index, sentiment: sentimentMessage(outcome.value) };
  return {
    index,
    error: statusOf(outcome?.reason ?? new Error("the text has no outcome"), reportBug),
  };
}
