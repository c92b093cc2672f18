import { ServiceError } from "../core/errors.js";
import { type Span, sentencesOf } from "./spans.js";

/** What to do with a text that has more tokens than the model reads at once. */
export type LongText = "windows" | "truncate" | "reject";

/** A part of the text that is one row of the model. */
export interface Window extends Span {
  /** Token ids, special tokens left out. */
  readonly ids: readonly number[];
}

export interface Windows {
  /** Tokens of the whole text. */
  readonly tokenCount: number;
  /** At least one; none of more tokens than there is room for. */
  readonly windows: readonly Window[];
}

type Encode = (text: string) => readonly number[];

/** Cuts a text into windows of at most `room` tokens: whole sentences where they fit. */
export function windowsOf(text: string, encode: Encode, room: number, longText: LongText): Windows {
  const ids = encode(text);
  const whole = { begin: 0, end: text.length };
  if (ids.length <= room) return { tokenCount: ids.length, windows: [{ ...whole, ids }] };
  if (longText === "truncate") {
    const end = endOfRead(text, encode, room);
    return { tokenCount: ids.length, windows: [{ begin: 0, end, ids: ids.slice(0, room) }] };
  }
  if (longText === "reject") {
    throw new ServiceError(
      "TEXT_TOO_LONG",
      `The text has ${ids.length} tokens, the model reads ${room}: shorten it, or allow windows.`,
    );
  }
  const windows = packed(piecesOf(text, { ...whole, ids }, encode, room, CUTS), room);
  // Counted by what is read: a tokenizer that looks across words may find other tokens in the whole.
  return { tokenCount: tokensOf(windows), windows };
}

/** Where the words end that fit into `room`; the whole text where not even its first word does. */
function endOfRead(text: string, encode: Encode, room: number): number {
  const ends = wordEnds(text);
  let [fits, tooFar] = [-1, ends.length];
  while (tooFar - fits > 1) {
    const middle = (fits + tooFar) >> 1;
    if (encode(text.slice(0, ends[middle])).length <= room) fits = middle;
    else tooFar = middle;
  }
  return ends[fits] ?? text.length;
}

/** Not by `matchAll`, which makes an array for each word. */
function wordEnds(piece: string): number[] {
  const word = /\S+/gu;
  const ends: number[] = [];
  while (word.test(piece)) ends.push(word.lastIndex);
  return ends;
}

/** Ever finer ways to cut a part of a text: places strictly inside it, ascending. */
type Cut = (piece: string) => readonly number[];
const CUTS: readonly Cut[] = [(piece) => sentencesOf(piece).map(({ end }) => end), wordEnds];

/** In halves, between two code points: what is left of a word longer than the model. */
function halfOf(piece: string): number {
  const half = piece.length >> 1;
  return (piece.codePointAt(half - 1) ?? 0) > 0xffff ? half + 1 : half;
}

/**
 * The part of the text in pieces of at most `room` tokens that join to the whole of it. White space goes with what follows it: byte-level
 * tokenizers read it as part of the word.
 */
function piecesOf(
  text: string,
  part: Window,
  encode: Encode,
  room: number,
  cuts: readonly Cut[],
): readonly Window[] {
  const { begin, end, ids } = part;
  if (ids.length <= room) return [part];
  const piece = text.slice(begin, end);
  const [cut, ...finer] = cuts;
  // One character of more tokens than there is room for is cut between its tokens.
  if (cut === undefined && /^.$/su.test(piece)) return slices(begin, end, ids, room);
  const ends = (cut === undefined ? [halfOf(piece)] : cut(piece)).map((at) => begin + at);
  const inside = ends.filter((at) => at > begin && at < end);
  if (inside.length === 0) return piecesOf(text, part, encode, room, finer);
  return [...inside, end].flatMap((to, place) => {
    const from = inside[place - 1] ?? begin;
    const smaller = { begin: from, end: to, ids: encode(text.slice(from, to)) };
    return piecesOf(text, smaller, encode, room, finer);
  });
}

function slices(begin: number, end: number, ids: readonly number[], room: number): Window[] {
  const count = Math.ceil(ids.length / room);
  return Array.from({ length: count }, (_, n) => ({
    begin,
    end,
    ids: ids.slice(n * room, (n + 1) * room),
  }));
}

/** Neighbouring pieces put together into windows of near-equal length, so that the last is not a stump without context. */
function packed(pieces: readonly Window[], room: number): Window[] {
  const windows: Window[] = [];
  let left = tokensOf(pieces);
  let open: { begin: number; end: number; ids: number[] } | undefined;
  for (const { begin, end, ids } of pieces) {
    const even = left / Math.ceil(left / room);
    if (open && (open.ids.length >= even || open.ids.length + ids.length > room)) {
      windows.push(open);
      left -= open.ids.length;
      open = undefined;
    }
    // Not anew for each piece: of a text without sentences they are its words.
    open ??= { begin, end, ids: [] };
    open.end = end;
    for (const id of ids) open.ids.push(id);
  }
  return joined(open === undefined ? windows : [...windows, open], room);
}

/** Neighbours that fit into one window: a stump before a long piece, white space at the end. */
function joined(windows: readonly Window[], room: number): Window[] {
  const all: Window[] = [];
  for (const window of windows) {
    const last = all.at(-1);
    if (last && last.ids.length + window.ids.length <= room)
      all.splice(-1, 1, { begin: last.begin, end: window.end, ids: [...last.ids, ...window.ids] });
    else all.push(window);
  }
  return all;
}

export const tokensOf = (windows: readonly Window[]): number =>
  windows.reduce((sum, { ids }) => sum + ids.length, 0);

/** How many tokens of them have that id. */
export function timesOf(id: number | undefined, windows: readonly Window[]): number {
  if (id === undefined) return 0;
  let times = 0;
  for (const { ids } of windows) for (const one of ids) if (one === id) times++;
  return times;
}
