import { readFile } from "node:fs/promises";

/** mulberry32: the same seed gives the same numbers, 0 up to 1, on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Words that are one token each, from a WordPiece tokenizer.json. */
async function wordsOf(tokenizerPath: string): Promise<readonly string[]> {
  const { model } = JSON.parse(await readFile(tokenizerPath, "utf8"));
  return Object.keys(model.vocab).filter((word) => /^[a-z]{2,9}$/.test(word));
}

/** Distinct texts of words that are one token each; `lengthOf` says how many tokens the next one has, special tokens included. */
async function textsOf(
  count: number,
  tokenizerPath: string,
  seed: number,
  lengthOf: (chance: () => number) => number,
): Promise<string[]> {
  const words = await wordsOf(tokenizerPath);
  const chance = seeded(seed);
  const texts = new Set<string>();
  while (texts.size < count) {
    const word = () => words[Math.floor(chance() * words.length)];
    texts.add(Array.from({ length: lengthOf(chance) - 2 }, word).join(" "));
  }
  return [...texts];
}

/** A length in tokens: lognormal with the mean 20 and a sigma of 0.5, at least 4 and at most 128. */
export function lognormalLength(chance: () => number): number {
  const sigma = 0.5;
  const mu = Math.log(20) - (sigma * sigma) / 2;
  const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
  return Math.min(128, Math.max(4, Math.round(Math.exp(mu + sigma * normal))));
}

/** `count` distinct texts of such lengths, special tokens included. */
export const lognormalTexts = (count: number, tokenizerPath: string, seed = 1) =>
  textsOf(count, tokenizerPath, seed, lognormalLength);

/** Distinct texts of which four fifths have 10 to 20 tokens, and one fifth 150 to 250. */
export function mixedTexts(count: number, tokenizerPath: string, seed = 1): Promise<string[]> {
  return textsOf(count, tokenizerPath, seed, (chance) =>
    chance() < 0.8 ? 10 + Math.floor(chance() * 11) : 150 + Math.floor(chance() * 101),
  );
}

/** Mixes of lengths by their names. */
export const LENGTHS = { short: lognormalTexts, mixed: mixedTexts } as const;
export type Lengths = keyof typeof LENGTHS;

/** Distinct texts of that many tokens. */
export const evenTexts = (count: number, tokenizerPath: string, tokens: number, seed = 1) =>
  textsOf(count, tokenizerPath, seed, () => tokens);

/** Makers of texts of that many characters, by their kinds; each text is a new one. Prose is lognormal texts in a row, the others are hard to read. */
export async function longTexts(
  tokenizerPath: string,
  seed = 1,
): Promise<Readonly<Record<"prose" | "words" | "ideographs", (length: number) => string>>> {
  const chance = seeded(seed);
  const below = (count: number) => Math.floor(chance() * count);
  const filled = (length: number, piece: (place: number) => string) => {
    let text = "";
    for (let place = 0; text.length < length; place++) text += piece(place);
    return text.slice(0, length);
  };
  const sentences = await lognormalTexts(4000, tokenizerPath, seed);
  return {
    prose: (length) => filled(length, () => `${sentences[below(sentences.length)]}. `),
    words: (length) =>
      filled(length, (place) => (place % 100 === 99 ? " " : String.fromCharCode(97 + below(26)))),
    ideographs: (length) => filled(length, () => String.fromCodePoint(0x4e00 + below(20_000))),
  };
}
