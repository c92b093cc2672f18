import type { AnalyzeResult } from "../../../server/gen/sentiment/v1/sentiment.js";
import { textError } from "../details.js";
import { SentimentError } from "../errors.js";
import type { Sentiment } from "../sentiment.js";
import { sentimentOf } from "../wire.js";

/** What the server said of a text. */
export type Answer =
  | { readonly sentiment: Sentiment; readonly error?: undefined }
  | { readonly sentiment?: undefined; readonly error: SentimentError };

export const nothingSaid = () =>
  new SentimentError("INTERNAL", "the server said nothing of this text");

export function answerOf(result: Pick<AnalyzeResult, "sentiment" | "error"> | undefined): Answer {
  if (result?.sentiment) return { sentiment: sentimentOf(result.sentiment) };
  return { error: result?.error ? textError(result.error) : nothingSaid() };
}
