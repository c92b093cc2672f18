import type { TokenAttribution } from "../api/messages.ts";
import { codePoints, cutter } from "./code-points.ts";

const LEVELS = 5;
/** Where all words weigh less, they are shown as light as they are. */
const LEAST_SCALE = 0.05;

/** A piece of the text: a word with its weight, or what stands between words. */
export interface Piece {
  readonly text: string;
  readonly weight: number | undefined;
  /** -LEVELS (negative) to LEVELS; 0: it matters little. */
  readonly level: number;
}

/** The whole text in pieces, in its order. The heaviest word has the last level, on its side. */
export function piecesOf(text: string, words: readonly TokenAttribution[]): readonly Piece[] {
  const cut = cutter(text);
  const scale = scaleOf(words);
  const pieces: Piece[] = [];
  let at = 0;
  const between = (end: number) => {
    if (end > at) pieces.push({ text: cut({ begin: at, end }), weight: undefined, level: 0 });
  };
  for (const { begin, end, weight } of [...words].sort((a, b) => a.begin - b.begin)) {
    between(begin);
    pieces.push({ text: cut({ begin, end }), weight, level: levelOf(weight, scale) });
    at = end;
  }
  between(codePoints(text));
  return pieces;
}

/** Those that matter, the heaviest first. */
export const heaviest = (words: readonly TokenAttribution[]): readonly TokenAttribution[] =>
  words
    .filter(({ weight }) => levelOf(weight, scaleOf(words)) !== 0)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));

const scaleOf = (words: readonly TokenAttribution[]): number =>
  words.reduce((most, { weight }) => Math.max(most, Math.abs(weight)), LEAST_SCALE);

const levelOf = (weight: number, scale: number): number => {
  const level = Math.round((Math.abs(weight) / scale) * LEVELS);
  return level === 0 ? 0 : Math.sign(weight) * level;
};
