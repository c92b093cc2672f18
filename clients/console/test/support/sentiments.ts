import type { AnalyzeResult, Label, Sentiment } from "../../src/api/messages.ts";

/** An answer, as the bridge writes one. */
export const sentiment = (label: Label, score: number): Sentiment => ({
  label,
  score,
  confidence: 0.9,
  probabilities: { negative: 0.05, neutral: 0.05, positive: 0.9 },
  tier: "TIER_FAST",
  model: "sentiment_fast",
  modelVersion: "1+embedded.3fa9c2d1",
  cache: "CACHE_TIER_NONE",
  tokenCount: 3,
  analyzedTokenCount: 3,
  sentences: [],
  attributions: [],
  mixed: false,
});

/** Of a batch: positive, but for what is blank or asks for something else. */
export const resultOf = (text: string, index: number): AnalyzeResult =>
  text.trim() === ""
    ? { index, error: refusal(3, "TEXT_EMPTY") }
    : { index, sentiment: sentiment("LABEL_POSITIVE", 0.9) };

export const refusal = (code: number, reason: string, retryDelay?: string) => ({
  code,
  message: "refused",
  details: [
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason },
    ...(retryDelay === undefined
      ? []
      : [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }]),
  ],
});
