import { type Span, wordsOf } from "./spans.js";
import { merged, scoreOf, type Weighted } from "./verdict.js";

/** What a word adds to the text's score. */
export interface Attribution extends Span {
  /** Score of the text minus its score without the word, -2 to 2. */
  readonly weight: number;
}

/** A text whose windows the model has read. */
export interface Explained {
  readonly text: string;
  readonly windows: readonly Span[];
  /** What the model said of each window. */
  readonly said: readonly Weighted[];
}

/** Probabilities of parts of the text, as the model gives them. */
export type AskParts = (parts: readonly string[]) => Promise<readonly Weighted[]>;

/** Rows that one explanation may cost besides the text's own. */
export const MAX_ROWS = 64;
/** A text of more words than that is taken apart step by step: the groups of words that matter most, into up to so many. */
const PARTS = 16;

/** Neighbouring words of one window, and what they add together. */
interface Group {
  readonly window: number;
  readonly words: readonly Span[];
  readonly weight: number;
  /** The model has read the window without them. */
  readonly asked: boolean;
}

/**
 * Occlusion: each word is left out in turn, and the difference in score is its weight. Only the window that the word stands
 * in is read again. In a text of over MAX_ROWS words the words of a group that matters little share its weight.
 */
export async function explain(explained: Explained, ask: AskParts): Promise<Attribution[]> {
  const whole = explained.windows.map((window, number) => ({
    window: number,
    words: wordsOf(explained.text, window),
    weight: weightWithout(explained, number),
    asked: false,
  }));
  const words = whole.reduce((sum, group) => sum + group.words.length, 0);
  let groups: readonly Group[] = whole;
  if (words <= MAX_ROWS) groups = await refined(explained, whole, MAX_ROWS, MAX_ROWS, ask);
  else
    for (let rows = 0; rows < MAX_ROWS; rows += PARTS)
      groups = await refined(explained, groups, PARTS, PARTS, ask);
  return groups.flatMap((group) =>
    group.words.map((word) => ({ ...word, weight: group.weight / group.words.length })),
  );
}

/** The groups that matter most in up to `parts` parts each, as long as their rows stay within `rows`; the others as they are. */
async function refined(
  explained: Explained,
  groups: readonly Group[],
  rows: number,
  parts: number,
  ask: AskParts,
): Promise<readonly Group[]> {
  const chosen = new Set<Group>();
  let left = rows;
  for (const group of [...groups].sort((one, other) => size(other) - size(one))) {
    const cost = Math.min(parts, group.words.length);
    if (cost === 0 || cost > left || (group.asked && cost === 1)) continue;
    chosen.add(group);
    left -= cost;
  }
  const cut = groups.map((group) => (chosen.has(group) ? inParts(group, parts) : [group]));
  const asked = cut.flatMap((pieces, place) => (chosen.has(groups[place] as Group) ? pieces : []));
  const answers = await ask(asked.map((group) => without(explained, group)));
  const weights = new Map(
    asked.map((group, place) => [group, weightWithout(explained, group.window, answers[place])]),
  );
  return cut.flat().map((group) => {
    const weight = weights.get(group);
    return weight === undefined ? group : { ...group, weight, asked: true };
  });
}

const size = ({ weight }: Group): number => Math.abs(weight);

function inParts({ window, words, weight, asked }: Group, parts: number): Group[] {
  const count = Math.min(parts, words.length);
  return Array.from({ length: count }, (_, part) => ({
    window,
    words: words.slice(
      Math.floor((part * words.length) / count),
      Math.floor(((part + 1) * words.length) / count),
    ),
    weight,
    asked,
  }));
}

/** The text of the group's window without the group. */
function without({ text, windows }: Explained, { window, words }: Group): string {
  const { begin, end } = windows[window] as Span;
  return text.slice(begin, words[0]?.begin) + text.slice(words.at(-1)?.end, end);
}

/** What the score loses when `instead` stands in a window's place; nothing stands there when it is left out. */
function weightWithout({ said }: Explained, window: number, instead?: Weighted): number {
  const others = said.filter((_, place) => place !== window);
  const rest = instead === undefined ? others : [...others, instead];
  const score = scoreOf(merged(said));
  return rest.length === 0 ? score : score - scoreOf(merged(rest));
}
