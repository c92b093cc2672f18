import type { BatchEvents } from "../batch/events.js";

/** A text that the tokenizer has read for a model. */
export interface TextRead {
  readonly tokenizeMs: number;
  /** Tokens of the whole text. */
  readonly tokenCount: number;
  /** Tokens of it that the model reads. */
  readonly analyzedTokenCount: number;
  /** Those of them that the vocabulary has no word for. */
  readonly unknownTokens: number;
}

/** What happens to the texts of a model; for metrics. Must not throw. */
export interface ReadingEvents extends Pick<BatchEvents, "shed"> {
  read(text: TextRead): void;
}

/** What happens in the cascade; for metrics. Must not throw. */
export interface CascadeEvents {
  /** Of so many texts fast was sure, or they went on to accurate. */
  decided(outcome: "fast" | "accurate", texts: number): void;
}
