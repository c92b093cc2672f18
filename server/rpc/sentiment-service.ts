import type { CallContext } from "nice-grpc-common";
import type { Verdict } from "../classify/classifier.js";
import { currentCall } from "../core/call.js";
import type { Tracer } from "../core/trace.js";
import {
  type AnalyzeOptions,
  type AnalyzeResult,
  type AnalyzeStreamRequest,
  type AnalyzeStreamResponse,
  SentimentServiceDefinition,
  type SentimentServiceImplementation,
  type Tier as TierMessage,
} from "../gen/sentiment/v1/sentiment.js";
import type { Analyze, ServiceParts } from "./analyzer.js";
import type { Drain } from "./drain.js";
import { outOfOrder } from "./out-of-order.js";
import { modelMessage, sentimentMessage, timingMessage } from "./replies.js";
import { type ReportBug, statusOf } from "./status.js";
import { checkBatchSize, checkId, checkText, echoOf } from "./validate.js";

/** Its span's name. */
const STREAMED_TEXT = `${SentimentServiceDefinition.fullName}/AnalyzeStream text`;

export function sentimentService(
  parts: ServiceParts,
  analyze: Analyze,
  drain: Drain,
): SentimentServiceImplementation {
  const { models, defaultTier, limits, clock, reportBug, tracer } = parts;

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
      const { text, tier, options } = request;
      const verdict = await inOwnTrace(tracer, () =>
        analyzeOne(text, tier, options, context.signal),
      );
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

/** A stream may have a million texts: each is a trace of its own, sampled by itself, and linked to the stream's. */
async function inOwnTrace<T>(tracer: Tracer | undefined, work: () => Promise<T>): Promise<T> {
  if (tracer === undefined) return await work();
  const call = currentCall.getStore();
  const links = call?.span && [call.span];
  const span = tracer.begin(STREAMED_TEXT, undefined, undefined, links);
  const none = { deadlineMs: Number.POSITIVE_INFINITY, traceparent: undefined };
  try {
    return await currentCall.run({ ...none, ...call, span }, work);
  } catch (error) {
    span?.failed(error);
    throw error;
  } finally {
    span?.end();
  }
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
