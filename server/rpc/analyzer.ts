import type { CacheTier } from "../cache/cache.js";
import type { Answer } from "../classify/answering.js";
import { underPressure } from "../classify/brown-out.js";
import { cascade } from "../classify/cascade.js";
import type { Verdict } from "../classify/classifier.js";
import type { Lease, Models } from "../classify/models.js";
import type { Question } from "../classify/reading.js";
import type { Warming } from "../classify/warming.js";
import { type Call, LimitedCall, withSignal } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import type { Tier } from "../core/tiers.js";
import type { Attributes, Tracer } from "../core/trace.js";
import type { AnalyzeOptions, Tier as TierMessage } from "../gen/sentiment/v1/sentiment.js";
import type { Pace } from "../quota/pace.js";
import type { Quota, Reservation } from "../quota/quota.js";
import type { Peers } from "./across-processes.js";
import type { Ended } from "./around-calls.js";
import type { Profiler } from "./capture-profile.js";
import type { ServiceEvents } from "./events.js";
import type { ProcessReadings } from "./get-status.js";
import type { ReportBug } from "./status.js";
import { questionOf, tierOf } from "./validate.js";

/** What requests may ask for, and how long it may take. */
interface RequestLimits {
  /** Code points of one text. */
  readonly maxTextLength: number;
  /** Texts of one AnalyzeBatch or ModelInfer. */
  readonly maxBatchTexts: number;
  /** Of a call; of a stream, of each text. */
  readonly timeoutMs: number;
  /** Wait from which on fast answers for balanced and the cascade; undefined: never. */
  readonly brownOutMs: number | undefined;
  /** Texts of one stream that are under way at once. */
  readonly maxStreamTexts: number;
}

/** The answers that are kept, as an admin sees them. */
export interface Caches {
  /** Forgets those of a tier of caches, of a model's space, or all; how many, as far as that is cheap to know. Rejects with CACHE_DOWN where Redis did not forget all. */
  clear(tier: CacheTier | undefined, space: string | undefined): Promise<number>;
}

/** What the services are made of. */
export interface ServiceParts {
  readonly models: Models;
  /** How texts are answered: from the caches, or always by the model. */
  readonly answer: Answer;
  readonly caches: Caches | undefined;
  readonly warming: Warming;
  readonly defaultTier: Tier;
  readonly limits: RequestLimits;
  readonly quota: Quota;
  readonly clock: Clock;
  readonly reportBug: ReportBug;
  /** undefined: no call is traced. */
  readonly tracer: Tracer | undefined;
  readonly events: ServiceEvents;
  readonly ended: Ended;
  /** The server's. */
  readonly version: string;
  readonly status: () => ProcessReadings;
  readonly profiler: Profiler;
  /** The other processes behind the same port; undefined: there are none. */
  readonly peers: Peers | undefined;
}

/**
 * The path that all calls share: valid texts in, one outcome a text out, within the time limit. Rejects for what concerns the
 * whole call: TIER_UNKNOWN, OPTION_UNKNOWN, RATE_LIMITED, DEADLINE, OVERLOADED, BACKEND_DOWN, the caller's leaving. `pace`: of the stream that the texts are
 * of, which waits for its quota.
 */
export type Analyze = (
  texts: readonly string[],
  tier: TierMessage,
  options: AnalyzeOptions | undefined,
  call: Call,
  pace?: Pace,
) => Promise<PromiseSettledResult<Verdict>[]>;

export function analyzer(parts: ServiceParts): Analyze {
  const { models, defaultTier, limits, quota, clock, events } = parts;

  const lease = (tier: Tier, texts: readonly string[]): Lease => {
    const found = models.lease(tier, texts[0] ?? "");
    if (found !== undefined) return found;
    const served = models.list().map((model) => model.tier);
    throw new ServiceError(
      "TIER_UNKNOWN",
      `tier ${tier} is not served here: use ${served.join(", ")}.`,
      { field: "tier" },
    );
  };

  const answer = async (tier: Tier, texts: readonly string[], question: Question, call: Call) => {
    const leased = lease(tier, texts);
    try {
      const outcomes = await parts.answer(leased.model, texts, question, call);
      leased.compare(texts, question, outcomes, call);
      call.span?.set(attributesOf(outcomes));
      return outcomes;
    } finally {
      leased[Symbol.dispose]();
    }
  };

  const answerByCascade = async (texts: readonly string[], question: Question, call: Call) => {
    if (!servesCascade(models)) {
      throw new ServiceError(
        "TIER_UNKNOWN",
        "tier auto is not served here: it needs fast, with a cascade_threshold, and accurate.",
        { field: "tier" },
      );
    }
    using fast = lease("fast", texts);
    using accurate = lease("accurate", texts);
    // A version that is put in its place may have been made for another cascade, or for none: then accurate answers all.
    const threshold = fast.model.cascadeThreshold ?? 1;
    const both = { fast: fast.model, accurate: accurate.model, threshold, events };
    const compared = answerAndCompare(parts.answer, [fast, accurate]);
    // Awaited here: both would be given back at once.
    const outcomes = await cascade(both, texts, question, call, compared);
    call.span?.set(attributesOf(outcomes));
    return outcomes;
  };

  return async (texts, tierMessage, options, whole, pace) => {
    const asked = tierOf(tierMessage) ?? defaultTier;
    const tier = underPressure(asked, models, limits.brownOutMs);
    const question = questionOf(options);
    const late = () =>
      new ServiceError(
        "DEADLINE",
        `No answer within ${limits.timeoutMs / 1000} s: send less at once.`,
      );
    // Not by `using`, which V8 (14) does slowly: for all that a call disposes of, 3 % of the event loop's time.
    const call = new LimitedCall(whole, limits.timeoutMs, clock, late);
    let reserved: Reservation | undefined;
    try {
      reserved =
        pace === undefined
          ? quota.reserve(texts, tier, question, call)
          : // At its end it is to be told of its quota, not of the time.
            await pace.reserve(texts, tier, question, withSignal(call, whole.signal));
      call.charge = reserved;
      if (tier !== asked && !call.origin.isUnasked) events.shed("brown_out", texts.length);
      // Awaited here: what was reserved is kept until the call ends.
      return tier === "auto"
        ? await answerByCascade(texts, question, call)
        : await answer(tier, texts, question, call);
    } finally {
      reserved?.[Symbol.dispose]();
      call[Symbol.dispose]();
    }
  };
}

/** As `answer`, and of each lease's model the first answers are handed to its candidate: it is asked again only for more about the same texts. */
function answerAndCompare(answer: Answer, leases: readonly Lease[]): Answer {
  const left = new Set(leases);
  return async (model, texts, question, call) => {
    const outcomes = await answer(model, texts, question, call);
    const lease = [...left].find((one) => one.model === model);
    // A copy: the cascade puts those of the other model in their places.
    if (lease !== undefined && left.delete(lease))
      lease.compare(texts, question, [...outcomes], call);
    return outcomes;
  };
}

/** Of a call's span: what its texts were answered by. */
function attributesOf(outcomes: readonly PromiseSettledResult<Verdict>[]): Attributes {
  const verdicts = outcomes.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const [first] = verdicts;
  const from = (cache: Verdict["cache"]) => verdicts.filter((one) => one.cache === cache).length;
  return {
    "sentiment.texts": outcomes.length,
    "sentiment.failed_texts": outcomes.length - verdicts.length,
    "sentiment.memory_hits": from("memory"),
    "sentiment.redis_hits": from("redis"),
    ...(first && {
      "sentiment.tier": first.model.tier,
      "sentiment.model_version": first.version,
    }),
  };
}

/** Whether TIER_AUTO can be answered. */
export function servesCascade(models: Models): boolean {
  const served = models.list();
  return (
    served.some(
      ({ tier, cascadeThreshold }) => tier === "fast" && cascadeThreshold !== undefined,
    ) && served.some(({ tier }) => tier === "accurate")
  );
}
