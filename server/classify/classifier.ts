import type { RowAnswer } from "../batch/batcher.js";
import { orAbort } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import type { Label, Probabilities, Tier } from "../core/tiers.js";
import type { Tokenizer } from "../tokenize/tokenizer.js";
import { type Attribution, explain, MAX_ROWS } from "./explain.js";
import { type Question, type Reading, read, windowsToRead } from "./reading.js";
import { inCodePoints, type Span } from "./spans.js";
import { isMixed, labelOf, merged, probabilitiesOf, scoreOf, type Weighted } from "./verdict.js";
import type { Window } from "./windows.js";

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
  /** Under this confidence the cascade passes its text on; undefined: the model is not made for the cascade. */
  readonly cascadeThreshold: number | undefined;
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

/** What a text, or a sentence of it, says. */
interface Opinion {
  readonly label: Label;
  /** p(positive) - p(negative), -1 to 1. */
  readonly score: number;
  /** Probability of the label. */
  readonly confidence: number;
}

export interface Verdict extends Opinion {
  readonly probabilities: Probabilities;
  readonly model: ServedModel;
  /** Tokens of the text, special tokens left out. */
  readonly tokenCount: number;
  /** Tokens that the model has read. */
  readonly analyzedTokenCount: number;
  /** In code points of the text; empty where they were not asked for. */
  readonly sentences: readonly (Opinion & Span)[];
  /** Strong sentences of both kinds stand in the text. */
  readonly mixed: boolean;
  /** In code points of the text; empty where they were not asked for. */
  readonly attributions: readonly (Attribution & { readonly word: string })[];
  readonly timings: Timings;
}

/** Rows that a call has in the queue at once: a call of many long texts must not fill it for all others. */
const ROWS_AT_ONCE = 1024;
/** Texts that are explained at once: their rows are no more than that. */
const TEXTS_AT_ONCE = ROWS_AT_ONCE / MAX_ROWS;

/**
 * The path of a request: texts to verdicts, one outcome a text, in the order of `texts`. The texts are valid already.
 * Rejects only for what concerns all of them (OVERLOADED, BACKEND_DOWN at load, the caller's leaving).
 */
export async function classify(
  model: ServedModel,
  texts: readonly string[],
  question: Question,
  signal: AbortSignal,
  clock: Clock,
): Promise<PromiseSettledResult<Verdict>[]> {
  await orAbort(model.ready(), signal, () => {});
  const readings = await readAll(model, texts, question, signal, clock);
  const windows = readings.flatMap((reading) =>
    reading.status === "fulfilled" ? windowsToRead(reading.value).flat() : [],
  );
  const answers = await answersOf(model, windows, signal);
  const outcomes: PromiseSettledResult<Verdict>[] = [];
  for (let first = 0; first < readings.length; first += TEXTS_AT_ONCE) {
    const some = readings.slice(first, first + TEXTS_AT_ONCE).map(async (reading) => {
      const found = verdictOf(model, resultOf(reading), answers);
      return question.explain ? explained(model, resultOf(reading), answers, found, signal) : found;
    });
    outcomes.push(...(await Promise.allSettled(some)));
  }
  // A caller that leaves during an explanation leaves the call, not single texts of it.
  signal.throwIfAborted();
  return outcomes;
}

/** Reading that long holds up all other calls of the process: after it they get a turn. */
const TURN_MS = 10;

async function readAll(
  model: ServedModel,
  texts: readonly string[],
  question: Question,
  signal: AbortSignal,
  clock: Clock,
): Promise<PromiseSettledResult<TimedReading>[]> {
  const readings: PromiseSettledResult<TimedReading>[] = [];
  let turnMs = clock.now();
  for (const text of texts) {
    if (clock.now() - turnMs > TURN_MS) {
      await new Promise((next) => setImmediate(next));
      signal.throwIfAborted();
      turnMs = clock.now();
    }
    readings.push(settled(() => timedRead(model, text, question, clock)));
  }
  return readings;
}

type Answers = ReadonlyMap<Window, PromiseSettledResult<RowAnswer> | undefined>;
type TimedReading = Reading & { readonly tokenizeMs: number };

function timedRead(
  model: ServedModel,
  text: string,
  question: Question,
  clock: Clock,
): TimedReading {
  const startedMs = clock.now();
  const { tokenizer } = model;
  const reading = read(text, tokenizer, roomOf(model), question);
  return { ...reading, tokenizeMs: clock.now() - startedMs };
}

/** Tokens of a text that the model reads at once. */
const roomOf = ({ maxTokens, tokenizer: { prefix, suffix } }: ServedModel): number =>
  maxTokens - prefix.length - suffix.length;

async function answersOf(
  model: ServedModel,
  windows: readonly Window[],
  signal: AbortSignal,
): Promise<Answers> {
  const { prefix, suffix } = model.tokenizer;
  const answers = new Map<Window, PromiseSettledResult<RowAnswer> | undefined>();
  for (let first = 0; first < windows.length; first += ROWS_AT_ONCE) {
    const some = windows.slice(first, first + ROWS_AT_ONCE);
    const rows = some.map(({ ids }) => [...prefix, ...ids, ...suffix]);
    const outcomes = await model.submit(rows, signal);
    for (const [place, window] of some.entries()) answers.set(window, outcomes[place]);
  }
  return answers;
}

/** Throws the first window's error: an answer from half a text would be a wrong one. */
function answersTo(windows: readonly Window[], answers: Answers): readonly RowAnswer[] {
  return windows.map((window) => {
    const outcome = answers.get(window);
    if (outcome?.status === "fulfilled") return outcome.value;
    throw outcome?.reason ?? new Error("a window of the text has no answer");
  });
}

function weighted(model: ServedModel, { ids }: Window, { logits }: RowAnswer): Weighted {
  // At least 1: a text without any token (a lone control character) still has its special tokens read.
  return {
    probabilities: probabilitiesOf(logits, model.temperature),
    tokens: Math.max(1, ids.length),
  };
}

function opinionOf(model: ServedModel, windows: readonly Window[], answers: Answers) {
  const found = answersTo(windows, answers);
  const probabilities = merged(
    windows.map((window, place) => weighted(model, window, found[place] as RowAnswer)),
  );
  return { ...labelOf(probabilities), score: scoreOf(probabilities), probabilities };
}

function verdictOf(model: ServedModel, reading: TimedReading, answers: Answers): Verdict {
  const { text, windows, tokenCount, tokenizeMs } = reading;
  const rows = answersTo(windows, answers);
  const largest = rows.reduce((one, other) => (other.batchRows > one.batchRows ? other : one));
  const spans = inCodePoints(text, reading.sentences);
  const sentences = reading.sentences.map((sentence, place) => {
    const { label, score, confidence } = opinionOf(model, sentence.windows, answers);
    return { ...(spans[place] as Span), label, score, confidence };
  });
  return {
    ...opinionOf(model, windows, answers),
    model,
    tokenCount,
    analyzedTokenCount: windows.reduce((sum, { ids }) => sum + ids.length, 0),
    sentences,
    mixed: isMixed(sentences),
    attributions: [],
    timings: {
      tokenizeMs,
      queueMs: Math.max(...rows.map(({ queueMs }) => queueMs)),
      inferenceMs: Math.max(...rows.map(({ inferenceMs }) => inferenceMs)),
      batchRows: largest.batchRows,
      paddingRatio: largest.paddingRatio,
    },
  };
}

/** The verdict with what each word adds to it: further rows of the same batches. */
async function explained(
  model: ServedModel,
  { text, windows }: TimedReading,
  answers: Answers,
  verdict: Verdict,
  signal: AbortSignal,
): Promise<Verdict> {
  const room = roomOf(model);
  const ask = async (parts: readonly string[]): Promise<readonly Weighted[]> => {
    const rows = parts.map((part) => ({
      begin: 0,
      end: part.length,
      ids: model.tokenizer.encode(part).slice(0, room),
    }));
    const found = answersTo(rows, await answersOf(model, rows, signal));
    return rows.map((row, place) => weighted(model, row, found[place] as RowAnswer));
  };
  const probabilities = answersTo(windows, answers).map(({ logits }) =>
    probabilitiesOf(logits, model.temperature),
  );
  const words = await explain({ text, windows, probabilities }, ask);
  const spans = inCodePoints(text, words);
  return {
    ...verdict,
    attributions: words.map(({ begin, end, weight }, place) => ({
      ...(spans[place] as Span),
      word: text.slice(begin, end),
      weight,
    })),
  };
}

function settled<T>(make: () => T): PromiseSettledResult<T> {
  try {
    return { status: "fulfilled", value: make() };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

function resultOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
