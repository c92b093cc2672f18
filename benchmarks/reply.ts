import {
  type AnalyzeResponse,
  CacheTier,
  Label,
  Tier,
} from "../server/gen/sentiment/v1/sentiment.js";

/** As the server answers from memory. */
export const REPLY: AnalyzeResponse = {
  sentiment: {
    label: Label.LABEL_POSITIVE,
    score: 0.87,
    confidence: 0.91,
    probabilities: { negative: 0.04, neutral: 0.05, positive: 0.91 },
    tier: Tier.TIER_BALANCED,
    model: "sentiment_balanced",
    modelVersion: "1+embedded.3fa9c2d1",
    cache: CacheTier.CACHE_TIER_MEMORY,
    tokenCount: 18,
    analyzedTokenCount: 18,
    sentences: [],
    attributions: [],
    mixed: false,
  },
  timing: {
    tokenize: { seconds: 0, nanos: 0 },
    queue: { seconds: 0, nanos: 0 },
    inference: { seconds: 0, nanos: 0 },
    total: { seconds: 0, nanos: 120_000 },
    batchSize: 0,
    paddingRatio: 0,
  },
};
