import { DETAIL_BYTES, detailBytesIn } from "../classify/cached-answer.js";
import type { Verdict } from "../classify/classifier.js";
import { MAX_SENTENCES } from "../classify/reading.js";
import { ServiceError } from "../core/errors.js";
import { estimatedTokens } from "../core/token-estimate.js";
import type { AnalyzeOptions } from "../gen/sentiment/v1/sentiment.js";

type Outcome = PromiseSettledResult<Verdict>;

/** Words and sentences of one answer: some 2 MB of the 4 that a client takes unless it is told otherwise, and to write them holds the event loop for 20 ms. */
const MOST_DETAILS = 100_000;
/** Of a text whose details take so many bytes at most it is a text as any other. */
const PLACE_BYTES = 8192;
const SHORT_TOKENS = 64;

/** Bytes that words and sentences of an answer may take at most: each character of the text may be a word. Over `maxLength` characters it has none. */
export function detailBytes(
  text: string,
  options: AnalyzeOptions | undefined,
  maxLength: number,
): number {
  const length = Math.min(text.length, 2 * maxLength);
  const words = options?.explain ? length : 0;
  const sentences = options?.sentences ? Math.min(length, MAX_SENTENCES) : 0;
  return DETAIL_BYTES * (words + sentences);
}

/**
 * Places of its stream that a text takes whose answer may have details of so many bytes: a short one without any takes one, and a longer one another, so that a stream has no more
 * tokens in the queue than half as many texts of any length would have.
 */
export const placesOf = (text: string, bytes: number): number =>
  (estimatedTokens(text) > SHORT_TOKENS ? 2 : 1) + Math.floor(bytes / PLACE_BYTES);

/** The outcomes, but refused with BATCH_TOO_LARGE those with whose details the answer would have too many (they are in the caches for who asks again); and the bytes that details take. */
export function withinOneAnswer(all: readonly Outcome[]): {
  readonly outcomes: readonly Outcome[];
  readonly bytes: number;
} {
  let bytes = 0;
  const outcomes = all.map((outcome, index) => {
    const own = outcome.status === "fulfilled" ? detailBytesIn(outcome.value) : 0;
    if (bytes > 0 && own > 0 && bytes + own > MOST_DETAILS * DETAIL_BYTES) return refused(index);
    bytes += own;
    return outcome;
  });
  return { outcomes, bytes };
}

function refused(index: number): Outcome {
  const field = `texts[${index}]`;
  const message = `With ${field} the answer would have over ${MOST_DETAILS} words and sentences: ask about fewer texts at once.`;
  return { status: "rejected", reason: new ServiceError("BATCH_TOO_LARGE", message, { field }) };
}
