import type { CallContext } from "nice-grpc-common";
import { type Cascade, cascade } from "../classify/cascade.js";
import { classify, type Verdict } from "../classify/classifier.js";
import type { ServedModel } from "../classify/model.js";
import { withLimit } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import type { Tier } from "../core/tiers.js";
import type {
  AnalyzeOptions,
  AnalyzeResult,
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
  SentimentServiceImplementation,
  Tier as TierMessage,
} from "../gen/sentiment/v1/sentiment.js";
import { outOfOrder } from "./out-of-order.js";
import { modelMessage, sentimentMessage, timingMessage } from "./replies.js";
import { type ReportBug, statusOf } from "./status.js";
import { checkBatchSize, checkId, checkText, echoOf, questionOf, tierOf } from "./validate.js";

/** What requests may ask for, and how long it may take. */
interface RequestLimits {
  /** Code points of one text. */
  readonly maxTextLength: number;
  /** Texts of one AnalyzeBatch. */
  readonly maxBatchTexts: number;
  /** Of a call; of a stream, of each text. */
  readonly timeoutMs: number;
  /** Texts of one stream that are under way at once. */
  readonly maxStreamTexts: number;
}

export interface SentimentParts {
  readonly models: ReadonlyMap<Tier, ServedModel>;
  /** What TIER_AUTO is answered by; undefined where the models for it are not served. */
  readonly cascade: Cascade | undefined;
  readonly defaultTier: Tier;
  readonly limits: RequestLimits;
  readonly clock: Clock;
  readonly reportBug: ReportBug;
}

export function sentimentService(parts: SentimentParts): SentimentServiceImplementation {
  const { models, defaultTier, limits, clock, reportBug } = parts;

  const modelOf = (tier: Tier): ServedModel => {
    const model = models.get(tier);
    if (model !== undefined) return model;
    const served = [...models.keys()].join(", ");
    throw new ServiceError("TIER_UNKNOWN", `tier ${tier} is not served here: use ${served}.`, {
      field: "tier",
    });
  };
  const cascadeOf = (): Cascade => {
    if (parts.cascade !== undefined) return parts.cascade;
    throw new ServiceError(
      "TIER_UNKNOWN",
      "tier auto is not served here: it needs fast, with a cascade_threshold, and accurate.",
      { field: "tier" },
    );
  };

  /** The path that all calls share: valid texts in, one outcome a text out, within the time limit. */
  const analyzed = (
    texts: readonly string[],
    tierMessage: TierMessage,
    options: AnalyzeOptions | undefined,
    signal: AbortSignal,
  ) => {
    const tier = tierOf(tierMessage) ?? defaultTier;
    const question = questionOf(options);
    const answer =
      tier === "auto"
        ? (limited: AbortSignal) => cascade(cascadeOf(), texts, question, limited, clock)
        : (limited: AbortSignal) => classify(modelOf(tier), texts, question, limited, clock);
    const late = () =>
      new ServiceError(
        "DEADLINE",
        `No answer within ${limits.timeoutMs / 1000} s: send less at once.`,
      );
    return withLimit(signal, limits.timeoutMs, clock, late, answer);
  };

  const analyzeOne = async (
    text: string,
    tier: TierMessage,
    options: AnalyzeOptions | undefined,
    signal: AbortSignal,
  ) => {
    checkText(text, limits.maxTextLength, "text");
    const [outcome] = await analyzed([text], tier, options, signal);
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
      const outcomes = (await analyzed(good, tier, options, signal)).values();
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
      outOfOrder(requests, limits.maxStreamTexts, (request) => answerOf(request, context)),

    listModels: async () => ({
      models: [...models.values()].map((model) => modelMessage(model, defaultTier)),
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
