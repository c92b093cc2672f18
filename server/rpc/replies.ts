import type { Verdict } from "../classify/classifier.js";
import type { ServedModel } from "../classify/model.js";
import { piecesAt } from "../classify/spans.js";
import { LABELS, type Tier } from "../core/tiers.js";
import {
  CacheTier,
  Label,
  type Model,
  type Sentiment,
  Tier as TierMessage,
  type Timing,
} from "../gen/sentiment/v1/sentiment.js";
import { durationOf } from "./duration.js";

const LABEL = {
  negative: Label.LABEL_NEGATIVE,
  neutral: Label.LABEL_NEUTRAL,
  positive: Label.LABEL_POSITIVE,
} as const;
export const TIER: Readonly<Record<Tier, TierMessage>> = {
  fast: TierMessage.TIER_FAST,
  balanced: TierMessage.TIER_BALANCED,
  accurate: TierMessage.TIER_ACCURATE,
};

const CACHE = {
  none: CacheTier.CACHE_TIER_NONE,
  memory: CacheTier.CACHE_TIER_MEMORY,
  redis: CacheTier.CACHE_TIER_REDIS,
} as const;

/** `text`: the one that it is about, as its caller wrote it: words are cut out of it. */
export function sentimentMessage(verdict: Verdict, text: string): Sentiment {
  const words = piecesAt(text, verdict.attributions);
  const [negative, neutral, positive] = verdict.probabilities;
  return {
    label: LABEL[verdict.label],
    score: verdict.score,
    confidence: verdict.confidence,
    probabilities: { negative, neutral, positive },
    tier: TIER[verdict.model.tier],
    model: verdict.model.name,
    modelVersion: verdict.version,
    cache: CACHE[verdict.cache],
    tokenCount: verdict.tokenCount,
    analyzedTokenCount: verdict.analyzedTokenCount,
    sentences: verdict.sentences.map(({ begin, end, label, score, confidence }) => ({
      begin,
      end,
      label: LABEL[label],
      score,
      confidence,
    })),
    attributions: verdict.attributions.map(({ begin, end, weight }, place) => ({
      begin,
      end,
      token: words[place] ?? "",
      weight,
    })),
    mixed: verdict.mixed,
  };
}

export function timingMessage({ timings }: Verdict, totalMs: number): Timing {
  return {
    tokenize: durationOf(timings.tokenizeMs),
    queue: durationOf(timings.queueMs),
    inference: durationOf(timings.inferenceMs),
    total: durationOf(totalMs),
    batchSize: timings.batchRows,
    paddingRatio: timings.paddingRatio,
  };
}

export const modelMessage = (model: ServedModel, defaultTier: Tier): Model => ({
  tier: TIER[model.tier],
  name: model.name,
  version: model.version,
  maxTokens: model.maxTokens,
  labels: LABELS.map((label) => LABEL[label]),
  ready: model.isReady(),
  defaultTier: model.tier === defaultTier,
});
