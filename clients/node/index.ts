export { connect, type SentimentClient } from "./client.js";
export {
  type Code,
  type ErrorDetails,
  type FieldViolation,
  type KnownReason,
  type Reason,
  SentimentError,
} from "./errors.js";
export type {
  AnalyzeOptions,
  AskingOptions,
  BatchOptions,
  CallLimits,
  CallOptions,
  ConnectOptions,
  LongText,
  StreamOptions,
  Texts,
  Tier,
  TlsOptions,
} from "./options.js";
export type {
  Analysis,
  Label,
  Model,
  Outcome,
  SentenceSentiment,
  Sentiment,
  Timing,
  TokenAttribution,
} from "./sentiment.js";
