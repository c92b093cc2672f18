import type { EncodeWords } from "./word-cache.js";

/** The `model` section of a tokenizer.json, where its type is WordPiece. */
export interface WordPieceSection {
  readonly vocab: Readonly<Record<string, number>>;
  readonly unk_token: string;
  readonly continuing_subword_prefix: string;
  readonly max_input_chars_per_word?: number;
}

const MAX_WORD_LENGTH = 100;

/**
 * WordPiece as the engine does it, longest piece first, but with no look at pieces longer than any of the vocabulary. The engine copies every
 * piece of a word letter by letter: a text of 10,000 characters in words of a hundred held the event loop for a quarter of a second.
 */
export function wordPiece(section: WordPieceSection): EncodeWords {
  const { vocab, unk_token, continuing_subword_prefix: prefix } = section;
  const maxLength = section.max_input_chars_per_word ?? MAX_WORD_LENGTH;
  const known = new Set(Object.keys(vocab));
  let longest = 0;
  for (const token of known) longest = Math.max(longest, token.length);

  const leadAt = (begin: number) => (begin === 0 ? "" : prefix);
  /** Where the longest piece that begins there ends; undefined: none does. */
  const endOfPiece = (word: string, ends: readonly number[], begin: number): number | undefined => {
    const lead = leadAt(begin);
    const farthest = begin + longest - lead.length;
    return ends.find(
      (end) => end <= farthest && end > begin && known.has(lead + word.slice(begin, end)),
    );
  };

  const piecesOf = (word: string): readonly string[] => {
    const ends = endsOf(word);
    if (ends.length > maxLength) return [unk_token];
    const pieces: string[] = [];
    for (let begin = 0; begin < word.length; ) {
      const end = endOfPiece(word, ends, begin);
      if (end === undefined) return [unk_token];
      pieces.push(leadAt(begin) + word.slice(begin, end));
      begin = end;
    }
    return pieces;
  };
  // Not by `flatMap`: it is slow, and words are asked for one by one.
  return (words) => {
    const all: string[] = [];
    for (const word of words) all.push(...piecesOf(word));
    return all;
  };
}

/** Where its code points end, the last one first. */
function endsOf(word: string): readonly number[] {
  const ends: number[] = [];
  let end = 0;
  for (const letter of word) {
    end += letter.length;
    ends.push(end);
  }
  return ends.reverse();
}
