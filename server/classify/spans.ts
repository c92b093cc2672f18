/** A piece of a text, in UTF-16 code units: `text.slice(begin, end)`. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

const SENTENCES = new Intl.Segmenter("en", { granularity: "sentence" });
const WORDS = new Intl.Segmenter("en", { granularity: "word" });
/** Unicode's rules end a sentence after these, too. */
const TITLE = /(?:^|[\s"'(])(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|Gen|Sen|Rep|vs|[A-Z])\.\s*$/u;
const NUMBER_SIGN = /(?:^|[\s"'(])No\.\s*$/u;
/** An emoji behind the end of a sentence belongs to it. */
const TRAILING_EMOJI =
  /(?: *(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f))+(?=\s|$)/uy;
/** Unicode's rules end no sentence before a small letter, but people who write all small do. */
const SMALL_START =
  /(?<!\b(?:etc|approx|incl|resp|eds?|vols?|figs?|min|max|vs|al|cf|pp|ca|no|st|dr|mr|ms)\.["')\]]*)(?<=\p{Ll}{2}[.…]["')\]]*)\s+(?=\p{Ll})/gu;
const WORD_LIKE = /[\p{L}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}]/u;

/** The sentences of a text, without the white space around them, in its order. */
export function sentencesOf(text: string): Span[] {
  const ends: number[] = [];
  for (const { segment, index } of SENTENCES.segment(text)) {
    for (const { index: at } of segment.matchAll(SMALL_START)) ends.push(index + at);
    const end = index + segment.length;
    if (!goesOn(segment, text.charAt(end))) ends.push(withEmoji(text, index, end));
  }
  ends.push(text.length);
  return ends
    .map((end, place) => trimmed(text, { begin: ends[place - 1] ?? 0, end }))
    .filter(({ begin, end }) => begin < end);
}

/** What Unicode's rules take for the end of a sentence is none. */
const goesOn = (segment: string, next: string): boolean =>
  TITLE.test(segment) || (NUMBER_SIGN.test(segment) && /\d/u.test(next));

/** The end of a sentence, behind the emoji that follow it on its line; where it is nothing but emoji, as it is. */
function withEmoji(text: string, begin: number, end: number): number {
  if (/\n\s*$/u.test(text.slice(begin, end))) return end;
  TRAILING_EMOJI.lastIndex = end;
  return end + (TRAILING_EMOJI.exec(text)?.[0].length ?? 0);
}

/** Words, numbers and emoji of a part of the text, in its order; punctuation is none of them. */
export function wordsOf(text: string, { begin, end }: Span): Span[] {
  const words: Span[] = [];
  for (const { segment, index } of WORDS.segment(text.slice(begin, end))) {
    if (WORD_LIKE.test(segment))
      words.push({ begin: begin + index, end: begin + index + segment.length });
  }
  return words;
}

/** The same spans, counted in code points. They must be in the text's order and not overlap. */
export function inCodePoints(text: string, spans: readonly Span[]): Span[] {
  let unit = 0;
  let point = 0;
  const pointAt = (offset: number): number => {
    for (; unit < offset; point++) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    return point;
  };
  return spans.map(({ begin, end }) => ({ begin: pointAt(begin), end: pointAt(end) }));
}

/** The text's pieces at spans that are counted in code points. Spans out of its order, or beyond its end, give other pieces, or shorter ones. */
export function piecesAt(text: string, spans: readonly Span[]): string[] {
  let unit = 0;
  let point = 0;
  const unitAt = (offset: number): number => {
    for (; point < offset && unit < text.length; point++)
      unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    return unit;
  };
  return spans.map(({ begin, end }) => text.slice(unitAt(begin), unitAt(end)));
}

/** White space at both ends left out. */
function trimmed(text: string, { begin, end }: Span): Span {
  const piece = text.slice(begin, end);
  return { begin: end - piece.trimStart().length, end: begin + piece.trimEnd().length };
}
