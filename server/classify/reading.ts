import type { Tokenizer } from "../tokenize/tokenizer.js";
import { type Span, sentencesOf } from "./spans.js";
import { type LongText, type Window, windowsOf } from "./windows.js";

/** What a request asks about its texts. */
export interface Question {
  readonly longText: LongText;
  /** Each sentence's verdict too. */
  readonly sentences: boolean;
  /** What each word adds to the score, too. */
  readonly explain: boolean;
  /** Neither answered from the caches nor kept in them. */
  readonly skipCache: boolean;
}

/** A text as the model reads it. */
export interface Reading {
  readonly text: string;
  /** Tokens of the text, special tokens left out. */
  readonly tokenCount: number;
  readonly windows: readonly Window[];
  /** Empty where they are not asked for. A text of one sentence has the whole text's windows for it. */
  readonly sentences: readonly Sentence[];
}

export type TimedReading = Reading & { readonly tokenizeMs: number };

interface Sentence extends Span {
  readonly windows: readonly Window[];
}

/** A text of more sentences has neighbouring ones put together, so that the rows of one text are bounded. */
export const MAX_SENTENCES = 256;

/** `room` is what the model reads at once, special tokens left out. */
export function read(
  text: string,
  { encode }: Tokenizer,
  room: number,
  { longText, sentences }: Question,
): Reading {
  const { tokenCount, windows } = windowsOf(text, encode, room, longText);
  // Of a truncated text only what is read.
  const spans = sentences ? grouped(sentencesOf(text.slice(0, windows.at(-1)?.end))) : [];
  return {
    text,
    tokenCount,
    windows,
    sentences: spans.map((span) => ({
      ...span,
      windows:
        spans.length === 1
          ? windows
          : windowsOf(text.slice(span.begin, span.end), encode, room, longText).windows,
    })),
  };
}

/** All windows that the model must see, each once: the text's own, then its sentences'. */
export const windowsToRead = ({ windows, sentences }: Reading): readonly Window[] =>
  sentences.length === 0
    ? windows
    : [...windows, ...sentences.flatMap((one) => (one.windows === windows ? [] : one.windows))];

function grouped(spans: readonly Span[]): readonly Span[] {
  const size = Math.ceil(spans.length / MAX_SENTENCES);
  if (size <= 1) return spans;
  return Array.from({ length: Math.ceil(spans.length / size) }, (_, group) => {
    const members = spans.slice(group * size, (group + 1) * size);
    return { begin: members[0]?.begin ?? 0, end: members.at(-1)?.end ?? 0 };
  });
}
