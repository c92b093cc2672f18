import type { SentimentError } from "./errors.js";

export type Label = "negative" | "neutral" | "positive";

/** The verdict on a text. In `label`, `tier` and `cache` a value that is newer than this client is `unknown`. */
export interface Sentiment {
  /** The most probable class. */
  readonly label: Label;
  /** p(positive) - p(negative): -1 to 1. */
  readonly score: number;
  /** The probability of the label: over 1/3, up to 1. */
  readonly confidence: number;
  /** They add up to 1. */
  readonly probabilities: Readonly<Record<Label, number>>;
  /** The tier that answered. */
  readonly tier: "fast" | "balanced" | "accurate";
  /** The model's name in the server's repository. */
  readonly model: string;
  /** The model's version, its backend and the beginning of its file's digest: `1+embedded.3fa9c2d1`. */
  readonly modelVersion: string;
  /** Where the answer came from. */
  readonly cache: "none" | "memory" | "redis";
  /** Tokens of the whole text, special tokens left out. */
  readonly tokenCount: number;
  /** Tokens that the model has read: fewer where a text was truncated. */
  readonly analyzedTokenCount: number;
  /** Filled where the option `sentences` was set. */
  readonly sentences: readonly SentenceSentiment[];
  /** Filled where the option `explain` was set. */
  readonly attributions: readonly TokenAttribution[];
  /** Strong sentences of both kinds stand in the text; told where the option `sentences` was set. */
  readonly mixed: boolean;
}

/** Offsets are Unicode code points from the text's beginning: of a string with emoji `[...text]` has them, `text[n]` has not. */
export interface SentenceSentiment {
  readonly begin: number;
  /** The code point after its last. */
  readonly end: number;
  readonly label: Label;
  readonly score: number;
  readonly confidence: number;
}

/** Offsets as in SentenceSentiment. */
export interface TokenAttribution {
  readonly begin: number;
  readonly end: number;
  /** The word as it stands in the text. */
  readonly token: string;
  /** Score of the text minus its score without the word: -2 to 2. */
  readonly weight: number;
}

/** Where the time of a call went, in the server. */
export interface Timing {
  readonly tokenizeMs: number;
  /** Waiting for a place in a batch, and for its turn. */
  readonly queueMs: number;
  /** The model, for the whole batch that the text was in. */
  readonly inferenceMs: number;
  readonly totalMs: number;
  /** Rows of that batch; 0 where no model was run. */
  readonly batchSize: number;
  /** Share of it that was padding: 0 to 1. */
  readonly paddingRatio: number;
}

export interface Analysis {
  readonly sentiment: Sentiment;
  readonly timing: Timing;
}

/** What became of one text: `sentiment` is there, or `error`. */
export type Outcome =
  | {
      /** Place of the text among those asked, from 0. */
      readonly index: number;
      readonly text: string;
      readonly sentiment: Sentiment;
      readonly error?: undefined;
    }
  | {
      readonly index: number;
      readonly text: string;
      readonly sentiment?: undefined;
      readonly error: SentimentError;
    };

/** A model that is served. */
export interface Model {
  readonly tier: "fast" | "balanced" | "accurate";
  readonly name: string;
  readonly version: string;
  /** Tokens that it reads at once, special tokens included. */
  readonly maxTokens: number;
  /** In the order of its outputs. */
  readonly labels: readonly Label[];
  /** It is loaded and answers now. */
  readonly ready: boolean;
  /** Its tier answers where a call names none. */
  readonly defaultTier: boolean;
}
