/** What a tokenizer's model makes of words that the pre-tokenizer has cut: tokens. */
export type EncodeWords = (words: string[]) => string[];

/** Words longer than this are rare, and would make the cache's memory unbounded in bytes. */
const MAX_CACHED_LENGTH = 24;

/**
 * Remembers the tokens of words. Each word's tokens depend on the word alone, so they stay exact; most words of a text are
 * among some ten thousand. At the limit the whole cache is dropped: it is full again within seconds, and a least-recently
 * used order would cost more on every word than that. 50,000 words take about 10 MB.
 */
export function withWordCache(encodeWords: EncodeWords, maxWords = 50_000): EncodeWords {
  const known = new Map<string, readonly string[]>();
  const tokensOf = (word: string): readonly string[] => {
    const cached = known.get(word);
    if (cached !== undefined) return cached;
    const tokens = encodeWords([word]);
    if (word.length > MAX_CACHED_LENGTH) return tokens;
    if (known.size >= maxWords) known.clear();
    known.set(copied(word), tokens);
    return tokens;
  };
  return (words) => {
    const all: string[] = [];
    for (const word of words) for (const token of tokensOf(word)) all.push(token);
    return all;
  };
}

/** A word that was cut out of a text keeps the whole text in memory (V8 slices): one that is kept must be a string of its own. */
const copied = (word: string): string => Buffer.from(word, "utf16le").toString("utf16le");
