/** The messages of sentiment.proto, as the bridge writes them in JSON: fields with their default are there, messages that are not set are not. */

export const LABELS = ["LABEL_NEGATIVE", "LABEL_NEUTRAL", "LABEL_POSITIVE"] as const;
export type Label = (typeof LABELS)[number];

/** Those that a model answers for. */
export const MODEL_TIERS = ["TIER_FAST", "TIER_BALANCED", "TIER_ACCURATE"] as const;
export type Tier = (typeof MODEL_TIERS)[number] | "TIER_AUTO" | "TIER_UNSPECIFIED";

export type CacheTier = "CACHE_TIER_NONE" | "CACHE_TIER_MEMORY" | "CACHE_TIER_REDIS";
export type LongText = "LONG_TEXT_WINDOWS" | "LONG_TEXT_TRUNCATE" | "LONG_TEXT_REJECT";

export interface AnalyzeOptions {
  readonly explain?: boolean;
  readonly sentences?: boolean;
  readonly skipCache?: boolean;
  readonly longText?: LongText;
}

export interface AnalyzeRequest {
  readonly text: string;
  readonly tier: Tier;
  readonly options: AnalyzeOptions;
}

export interface AnalyzeBatchRequest {
  readonly texts: readonly string[];
  readonly tier: Tier;
  readonly options: AnalyzeOptions;
}

/** A part of a text, in code points: `end` is the one after the last. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

export interface SentenceSentiment extends Span {
  readonly label: Label;
  /** -1 to 1. */
  readonly score: number;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface TokenAttribution extends Span {
  readonly token: string;
  /** Score of the text minus its score without the word: -2 to 2. */
  readonly weight: number;
}

export interface Sentiment {
  readonly label: Label;
  /** -1 to 1. */
  readonly score: number;
  /** 0 to 1. */
  readonly confidence: number;
  readonly probabilities: Probabilities;
  readonly tier: Tier;
  readonly model: string;
  readonly modelVersion: string;
  readonly cache: CacheTier;
  readonly tokenCount: number;
  readonly analyzedTokenCount: number;
  readonly sentences: readonly SentenceSentiment[];
  readonly attributions: readonly TokenAttribution[];
  readonly mixed: boolean;
}

/** 0 to 1 each. */
export interface Probabilities {
  readonly negative: number;
  readonly neutral: number;
  readonly positive: number;
}

/** Durations are seconds, as in "0.002s". */
export interface Timing {
  readonly tokenize: string;
  readonly queue: string;
  readonly inference: string;
  readonly total: string;
  readonly batchSize: number;
  readonly paddingRatio: number;
}

export interface AnalyzeResponse {
  readonly sentiment: Sentiment;
  readonly timing: Timing;
}

export interface AnalyzeResult {
  readonly index: number;
  readonly sentiment?: Sentiment;
  readonly error?: Status;
}

/** google.rpc.Status. */
export interface Status {
  /** Of gRPC. */
  readonly code: number;
  readonly message: string;
  readonly details?: readonly StatusDetail[];
}

/** Those fields of ErrorInfo, RetryInfo and so on that are read here. */
interface StatusDetail {
  readonly "@type": string;
  readonly reason?: string;
  readonly retryDelay?: string;
}

/** What the bridge reads in the server's metrics: sums since the server's start. */
export interface LiveCounts {
  readonly atMs: number;
  readonly answered: number;
  readonly failed: number;
  readonly latency: {
    readonly leSeconds: readonly number[];
    readonly counts: readonly number[];
    readonly count: number;
  };
  readonly lookups: number;
  readonly hits: number;
  readonly batches: number;
  readonly rows: number;
  readonly waiting: number;
}
