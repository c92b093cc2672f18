import { detailBytesIn } from "../classify/cached-answer.js";
import type { Verdict } from "../classify/classifier.js";
import type { Call } from "../core/call.js";
import { ServiceError } from "../core/errors.js";
import { turns } from "../core/turns.js";
import type {
  AnalyzeBatchRequest,
  AnalyzeOptions,
  AnalyzeResult,
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
  SentimentServiceImplementation,
  Tier as TierMessage,
} from "../gen/sentiment/v1/sentiment.js";
import { type Pace, paceOf } from "../quota/pace.js";
import type { Analyze, ServiceParts } from "./analyzer.js";
import { detailBytes, placesOf, withinOneAnswer } from "./answer-details.js";
import type { CallExt } from "./call-context.js";
import type { Drain } from "./drain.js";
import { answeredBy, takenUp } from "./held-messages.js";
import { outOfOrder } from "./out-of-order.js";
import { inOwnTrace } from "./own-trace.js";
import { modelMessage, sentimentMessage, timingMessage } from "./replies.js";
import { type ReportBug, reasonOf, statusOf } from "./status.js";
import type { StreamPlaces } from "./stream-places.js";
import { failedText } from "./text-outcome.js";
import { checkBatchSize, checkId, checkText, echoOf } from "./validate.js";

type Outcome = PromiseSettledResult<Verdict>;

/** The client is told by the call's status. */
const callRefused = () => new ServiceError("OVERLOADED", "The call is refused: send fewer texts.");
const lost = () => new Error("the text has no outcome");

export function sentimentService(
  parts: ServiceParts,
  analyze: Analyze,
  drain: Drain,
  places: StreamPlaces,
): SentimentServiceImplementation<CallExt> {
  const { models, defaultTier, limits, quota, clock, reportBug, tracer, events } = parts;

  const bytesOfDetails = (text: string, options: AnalyzeOptions | undefined) =>
    detailBytes(text, options, limits.maxTextLength);

  const analyzeOne = async (
    text: string,
    tier: TierMessage,
    options: AnalyzeOptions | undefined,
    call: Call,
    pace?: Pace,
  ) => {
    checkText(text, limits.maxTextLength, "text");
    const [outcome] = await analyze([text], tier, options, call, pace);
    if (outcome?.status === "fulfilled") return outcome.value;
    throw outcome?.reason ?? lost();
  };

  const answerOf = async (
    request: AnalyzeStreamRequest,
    call: Call,
    pace: Pace | undefined,
  ): Promise<AnalyzeStreamResponse> => {
    const { text, tier, options } = request;
    try {
      if (!takenUp(request, bytesOfDetails(text, options))) throw callRefused();
      checkId(request.id);
      const verdict = await inOwnTrace(tracer, call, (own) =>
        analyzeOne(text, tier, options, own, pace),
      );
      const sentiment = sentimentMessage(verdict, text);
      events.answered("AnalyzeStream", verdict);
      return answeredBy(request, { id: request.id, sentiment }, detailBytesIn(verdict));
    } catch (error) {
      events.failed("AnalyzeStream", failedText(error, call, clock), 1);
      // The client has left: nobody reads the answer, and its leaving is no bug.
      const report = call.signal.aborted ? () => {} : reportBug;
      const failed = { id: echoOf(request.id), error: statusOf(error, report, call) };
      return answeredBy(request, failed, 0);
    }
  };

  /** One outcome a text, also of those that are refused. */
  const analyzeAll = async (
    { texts, tier, options }: AnalyzeBatchRequest,
    call: Call,
  ): Promise<readonly Outcome[]> => {
    checkBatchSize(texts.length, limits.maxBatchTexts);
    const faults = texts.map((text, index) =>
      faultOf(() => checkText(text, limits.maxTextLength, `texts[${index}]`)),
    );
    const good = texts.filter((_, index) => faults[index] === undefined);
    const outcomes = (await analyze(good, tier, options, call)).values();
    const noOutcome = () => ({ status: "rejected" as const, reason: lost() });
    return faults.map((reason) =>
      reason === undefined
        ? (outcomes.next().value ?? noOutcome())
        : { status: "rejected" as const, reason },
    );
  };

  return {
    async analyze({ text, tier, options }, { call }) {
      const startedMs = clock.now();
      try {
        const verdict = await analyzeOne(text, tier, options, call);
        const sentiment = sentimentMessage(verdict, text);
        events.answered("Analyze", verdict);
        return { sentiment, timing: timingMessage(verdict, clock.now() - startedMs) };
      } catch (error) {
        events.failed("Analyze", failedText(error, call, clock), 1);
        throw error;
      }
    },

    async analyzeBatch(request, { call }) {
      const { texts, options } = request;
      takenUp(
        request,
        texts.reduce((sum, text) => sum + bytesOfDetails(text, options), 0),
      );
      const all = await analyzeAll(request, call).catch((error: unknown) => {
        const failed = failedText(error, call, clock);
        events.failed("AnalyzeBatch", failed, texts.length);
        throw error;
      });
      const { outcomes, bytes } = withinOneAnswer(all);
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") events.answered("AnalyzeBatch", outcome.value);
        else events.failed("AnalyzeBatch", reasonOf(outcome.reason), 1);
      }
      const turn = turns(call.signal, clock);
      const results: AnalyzeResult[] = [];
      for (const [index, outcome] of outcomes.entries()) {
        await turn();
        results.push(resultMessage(index, outcome, texts[index] ?? "", reportBug, call));
      }
      return answeredBy(request, { results }, bytes);
    },

    analyzeStream(requests, { call }) {
      const place = places.take(call.origin.holder);
      const pace = paceOf(quota, call);
      const read = drain.until(requests);
      return outOfOrder(
        pace?.read(read) ?? read,
        limits.maxStreamTexts,
        (request) => answerOf(request, call, pace),
        ({ text, options }) => placesOf(text, bytesOfDetails(text, options)),
        place,
      );
    },

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
  outcome: Outcome,
  text: string,
  reportBug: ReportBug,
  call: Call,
): AnalyzeResult {
  return outcome.status === "fulfilled"
    ? { index, sentiment: sentimentMessage(outcome.value, text) }
    : { index, error: statusOf(outcome.reason, reportBug, call) };
}
