import type { RowAnswer } from "../batch/batcher.js";
import type { Clock } from "../core/clock.js";
import type { Label, Probabilities, Tier } from "../core/tiers.js";
import type { Tokenizer } from "../tokenize/tokenizer.js";
import { type LongText, windowsOf } from "./long-text.js";
import { labelOf, merged, probabilitiesOf, scoreOf } from "./verdict.js";

/** One tier's model and all that a request needs of it. */
export interface ServedModel {
  readonly tier: Tier;
  /** Its name in the repository. */
  readonly name: string;
  /** As in Sentiment.model_version. */
  readonly version: string;
  /** Tokens that it reads at once, special tokens included. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly tokenizer: Tokenizer;
  /** Runs rows of token ids, special tokens included; one outcome a row. */
  submit(
    rows: readonly (readonly number[])[],
    signal: AbortSignal,
  ): Promise<PromiseSettledResult<RowAnswer>[]>;
  /** Resolves when the model is loaded; loads it where that has not been asked for yet. */
  ready(): Promise<void>;
  /** It is loaded and answers now. */
  isReady(): boolean;
}

/** How long each step took, in milliseconds, and the batch that the text was in (the largest one, with several windows). */
interface Timings {
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
  readonly batchRows: number;
  readonly paddingRatio: number;
}

export interface Verdict {
  readonly label: Label;
  /** p(positive) - p(negative), -1 to 1. */
  readonly score: number;
  /** Probability of the label. */
  readonly confidence: number;
  readonly probabilities: Probabilities;
  readonly model: ServedModel;
  /** Tokens of the text, special tokens left out. */
  readonly tokenCount: number;
  /** Tokens that the model has read. */
  readonly analyzedTokenCount: number;
  readonly timings: Timings;
}

interface Encoded {
  readonly tokenCount: number;
  /** Token ids without special tokens, one list a window. */
  readonly windows: readonly (readonly number[])[];
  readonly tokenizeMs: number;
}

/**
 * The path of a request: texts to verdicts, one outcome a text, in the order of `texts`. The texts are valid already.
 * Rejects only for what concerns all of them (OVERLOADED, BACKEND_DOWN at load, the caller's leaving).
 */
export async function classify(
  model: ServedModel,
  texts: readonly string[],
  longText: LongText,
  signal: AbortSignal,
  clock: Clock,
): Promise<PromiseSettledResult<Verdict>[]> {
  await model.ready();
  const encoded = texts.map((text) => settled(() => encode(model, text, longText, clock)));
  const rows = encoded.flatMap((outcome) =>
    outcome.status === "fulfilled"
      ? outcome.value.windows.map((window) => framed(model.tokenizer, window))
      : [],
  );
  const answers = (rows.length === 0 ? [] : await model.submit(rows, signal)).values();
  return encoded.map((outcome) => {
    if (outcome.status === "rejected") return outcome;
    const mine = outcome.value.windows.map(() => answers.next().value);
    return settled(() => verdictOf(model, outcome.value, mine));
  });
}

function encode(model: ServedModel, text: string, longText: LongText, clock: Clock): Encoded {
  const startedMs = clock.now();
  const { tokenizer } = model;
  const ids = tokenizer.encode(text);
  const windows = windowsOf(
    ids,
    model.maxTokens - tokenizer.prefix.length - tokenizer.suffix.length,
    longText,
  );
  return { tokenCount: ids.length, windows, tokenizeMs: clock.now() - startedMs };
}

const framed = ({ prefix, suffix }: Tokenizer, window: readonly number[]) => [
  ...prefix,
  ...window,
  ...suffix,
];

/** Throws the first window's error: an answer from half a text would be a wrong one. */
function verdictOf(
  model: ServedModel,
  { windows, tokenCount, tokenizeMs }: Encoded,
  outcomes: readonly (PromiseSettledResult<RowAnswer> | undefined)[],
): Verdict {
  const answers = outcomes.map((outcome) => {
    if (outcome?.status === "fulfilled") return outcome.value;
    throw outcome?.reason ?? new Error("a window of the text has no answer");
  });
  const probabilities = merged(
    answers.map(({ logits }, place) => ({
      probabilities: probabilitiesOf(logits, model.temperature),
      // At least 1: a text without any token (a lone control character) still has its special tokens read.
      tokens: Math.max(1, windows[place]?.length ?? 0),
    })),
  );
  const largest = answers.reduce((one, other) => (other.batchRows > one.batchRows ? other : one));
  return {
    ...labelOf(probabilities),
    score: scoreOf(probabilities),
    probabilities,
    model,
    tokenCount,
    analyzedTokenCount: windows.reduce((sum, window) => sum + window.length, 0),
    timings: {
      tokenizeMs,
      queueMs: Math.max(...answers.map(({ queueMs }) => queueMs)),
      inferenceMs: Math.max(...answers.map(({ inferenceMs }) => inferenceMs)),
      batchRows: largest.batchRows,
      paddingRatio: largest.paddingRatio,
    },
  };
}

function settled<T>(make: () => T): PromiseSettledResult<T> {
  try {
    return { status: "fulfilled", value: make() };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}
