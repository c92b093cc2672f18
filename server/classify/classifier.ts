import type { CacheTier } from "../cache/cache.js";
import { orAbort } from "../core/abort.js";
import type { Call } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { resultOf, settled } from "../core/settled.js";
import type { Probabilities } from "../core/tiers.js";
import { asStep } from "../core/trace.js";
import { turns } from "../core/turns.js";
import {
  type Answers,
  answersOf,
  answersTo,
  groupsOf,
  type Opinion,
  opinionOf,
  ROWS_AT_ONCE,
} from "./answers.js";
import { type Attribution, MAX_ROWS } from "./explain.js";
import { attributionsOf } from "./explained.js";
import type { ServedModel } from "./model.js";
import { chargeReading, readAll } from "./read-all.js";
import { type Question, type TimedReading, windowsToRead } from "./reading.js";
import { inCodePoints, type Span } from "./spans.js";
import { isMixed } from "./verdict.js";
import { tokensOf, type Window } from "./windows.js";

/** How long each step took, in milliseconds, and the batch that the text was in (the largest one, with several windows). */
interface Timings {
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
  readonly batchRows: number;
  readonly paddingRatio: number;
}

export interface Verdict extends Opinion {
  readonly probabilities: Probabilities;
  readonly model: ServedModel;
  /** Of what answered, as in Sentiment.model_version; of several windows the first one's. */
  readonly version: string;
  /** Where it was found; "none": the model was run for it. */
  readonly cache: CacheTier | "none";
  /** Tokens of the text, special tokens left out. */
  readonly tokenCount: number;
  /** Tokens that the model has read. */
  readonly analyzedTokenCount: number;
  /** In code points of the text; empty where they were not asked for. */
  readonly sentences: readonly (Opinion & Span)[];
  /** Strong sentences of both kinds stand in the text. */
  readonly mixed: boolean;
  /** In code points of the text; empty where they were not asked for. */
  readonly attributions: readonly Attribution[];
  readonly timings: Timings;
}

type Found = readonly (Verdict | undefined)[];

/** Verdicts that need no model, by the place of the reading; undefined: it must be asked. Neither throws nor rejects. */
export type FindVerdicts = (
  readings: readonly PromiseSettledResult<TimedReading>[],
) => Found | Promise<Found>;

/** Texts that are explained at once: their rows are no more than that. */
const TEXTS_AT_ONCE = ROWS_AT_ONCE / MAX_ROWS;

/** What an explanation has in the queue at once: a row for each word, of about as many tokens, with the other words of its window. */
function tokensToExplain(outcome: PromiseSettledResult<TimedReading>): number {
  if (outcome.status === "rejected") return 0;
  const lengths = outcome.value.windows.map(({ ids }) => ids.length);
  return Math.min(MAX_ROWS, tokensOf(outcome.value.windows)) * Math.max(...lengths);
}

/**
 * The path of a request: texts to verdicts, one outcome a text, in the order of `texts`. The texts are valid already. `find` may have
 * verdicts for what the model would read.
 * Rejects only for what concerns all of them (OVERLOADED, BACKEND_DOWN at load, the caller's leaving); an explanation that meets
 * a full queue fails its own text.
 */
export async function classify(
  model: ServedModel,
  texts: readonly string[],
  question: Question,
  call: Call,
  clock: Clock,
  find: FindVerdicts = () => [],
): Promise<PromiseSettledResult<Verdict>[]> {
  if (model.isReady()) call.signal.throwIfAborted();
  else await orAbort(model.ready(), call.signal, () => {});
  const readings: PromiseSettledResult<TimedReading>[] = [];
  try {
    await readAll(model, texts, question, call, clock, readings);
    const found = await find(readings);
    const unread = readings.map((reading, place) =>
      reading.status === "rejected" || found[place] !== undefined
        ? []
        : windowsToRead(reading.value),
    );
    const answers = await answersOf(model, unread.flat(), call);
    return await asStep(call, "verdict", async () => {
      call.signal.throwIfAborted();
      const known = { readings, found, answers: inParts(answers, unread) };
      return question.explain ? await explained(model, known, call, clock) : judged(model, known);
    });
  } catch (error) {
    // Those that could not be read are charged already.
    const read = texts.filter((_, place) => readings[place]?.status === "fulfilled");
    if (call.signal.aborted) chargeReading(model, read, call);
    throw error;
  }
}

/** The answers to all windows, list by list of them. */
function inParts(answers: Answers, windows: readonly (readonly Window[])[]): readonly Answers[] {
  let end = 0;
  return windows.map(({ length }) => {
    const begin = end;
    end += length;
    return answers.slice(begin, end);
  });
}

/** By the place of the reading. */
interface Known {
  readonly readings: readonly PromiseSettledResult<TimedReading>[];
  /** undefined: the model's answers tell. */
  readonly found: Found;
  readonly answers: readonly Answers[];
}

const judged = (model: ServedModel, known: Known): PromiseSettledResult<Verdict>[] =>
  known.readings.map((reading, place) => settled(() => verdictAt(model, known, place, reading)));

/** With attributions, where the verdict was not found with its own. */
async function explained(
  model: ServedModel,
  known: Known,
  call: Call,
  clock: Clock,
): Promise<PromiseSettledResult<Verdict>[]> {
  const outcomes: PromiseSettledResult<Verdict>[] = [];
  const turn = turns(call.signal, clock);
  const entries = [...known.readings.entries()];
  for (const group of groupsOf(entries, TEXTS_AT_ONCE, ([, reading]) => tokensToExplain(reading))) {
    call.signal.throwIfAborted();
    const some = group.map(async (entry) => {
      const [place, reading] = entry;
      const verdict = verdictAt(model, known, place, reading);
      if (known.found[place] !== undefined) return verdict;
      const answers = known.answers[place] ?? [];
      const attributions = await attributionsOf(model, resultOf(reading), answers, call, turn);
      return { ...verdict, attributions };
    });
    outcomes.push(...(await Promise.allSettled(some)));
  }
  // A caller that leaves during an explanation leaves the call, not single texts of it.
  call.signal.throwIfAborted();
  return outcomes;
}

/** Throws why the text could not be read, or the model not asked. */
const verdictAt = (
  model: ServedModel,
  { found, answers }: Known,
  place: number,
  reading: PromiseSettledResult<TimedReading>,
): Verdict => found[place] ?? verdictOf(model, resultOf(reading), answers[place] ?? []);

function verdictOf(model: ServedModel, reading: TimedReading, answers: Answers): Verdict {
  const { windows, tokenCount, tokenizeMs } = reading;
  const rows = answersTo(windows, answers);
  const largest = rows.reduce((one, other) => (other.batchRows > one.batchRows ? other : one));
  const sentences = sentencesIn(model, reading, answers);
  const { label, score, confidence, probabilities } = opinionOf(model, windows, rows);
  return {
    label,
    score,
    confidence,
    probabilities,
    model,
    version: rows[0]?.version ?? model.version,
    cache: "none",
    tokenCount,
    analyzedTokenCount: tokensOf(windows),
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

/** What the model said of each sentence. */
function sentencesIn(
  model: ServedModel,
  reading: TimedReading,
  answers: Answers,
): (Opinion & Span)[] {
  if (reading.sentences.length === 0) return [];
  const spans = inCodePoints(reading.text, reading.sentences);
  let end = reading.windows.length;
  return reading.sentences.map(({ windows }, place) => {
    // Those of the whole text: then it is the only one.
    const begin = windows === reading.windows ? 0 : end;
    end = begin + windows.length;
    const rows = answersTo(windows, answers.slice(begin, end));
    const { label, score, confidence } = opinionOf(model, windows, rows);
    return { ...(spans[place] as Span), label, score, confidence };
  });
}
