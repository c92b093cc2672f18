import type { RowAnswer } from "../batch/row.js";
import type { Call } from "../core/call.js";
import { resultOf } from "../core/settled.js";
import type { Label, Probabilities } from "../core/tiers.js";
import { estimatedTokens } from "../core/token-estimate.js";
import type { ServedModel } from "./model.js";
import type { Question } from "./reading.js";
import { labelOf, merged, probabilitiesOf, scoreOf, type Weighted } from "./verdict.js";
import type { Window } from "./windows.js";

/** Rows that a call has in the queue at once: a call of many long texts must not fill it for all others. */
export const ROWS_AT_ONCE = 1024;
/** And their tokens: seconds of the slowest model, where 1,024 rows of its longest had all others refused for half a minute. */
const TOKENS_AT_ONCE = 16_384;

/** What the model said of windows, in their order. */
export type Answers = readonly PromiseSettledResult<RowAnswer>[];

/** What a text, or a sentence of it, says. */
export interface Opinion {
  readonly label: Label;
  /** p(positive) - p(negative), -1 to 1. */
  readonly score: number;
  /** Probability of the label. */
  readonly confidence: number;
}

/** Items in their order, in groups of at most `most` that a call may have in the queue at once; what is too much by itself goes alone. */
export function groupsOf<Item>(
  items: readonly Item[],
  most: number,
  tokensOf: (item: Item) => number,
): Item[][] {
  const groups: Item[][] = [];
  let left = 0;
  for (const item of items) {
    const last = groups.at(-1);
    const tokens = tokensOf(item);
    left -= tokens;
    if (last !== undefined && last.length < most && left >= 0) last.push(item);
    else {
      groups.push([item]);
      left = TOKENS_AT_ONCE - tokens;
    }
  }
  return groups;
}

/**
 * Throws OVERLOADED where the first rows of such texts would be refused now, by an estimate of their tokens. Reading a text that is refused after it is most of
 * what the refusal costs.
 */
export function admitUnread(
  model: ServedModel,
  texts: readonly string[],
  { longText }: Question,
  call: Call,
): void {
  const mostTokens = longText === "truncate" ? model.maxTokens : Number.POSITIVE_INFINITY;
  const tokens = texts.reduce((sum, text) => sum + Math.min(mostTokens, estimatedTokens(text)), 0);
  model.admit(Math.min(ROWS_AT_ONCE, texts.length), Math.min(TOKENS_AT_ONCE, tokens), call);
}

/** Of each window. `isBegun`: the model has answered others of the question before. */
export async function answersOf(
  model: ServedModel,
  windows: readonly Window[],
  call: Call,
  isBegun = false,
): Promise<Answers> {
  const { prefix, suffix } = model.tokenizer;
  const answers: PromiseSettledResult<RowAnswer>[] = [];
  for (const some of groupsOf(windows, ROWS_AT_ONCE, ({ ids }) => ids.length)) {
    const rows = some.map(({ ids }) => [...prefix, ...ids, ...suffix]);
    const outcomes = await model.submit(rows, call, isBegun || answers.length > 0);
    for (const place of rows.keys()) answers.push(outcomes[place] ?? none());
  }
  return answers;
}

const none = (): PromiseSettledResult<RowAnswer> => ({
  status: "rejected",
  reason: new Error("a window of the text has no answer"),
});

/** To those windows, of answers that begin with theirs. Throws the first one's error: an answer from half a text would be a wrong one. */
export const answersTo = (windows: readonly Window[], answers: Answers): readonly RowAnswer[] =>
  windows.map((_, place) => resultOf(answers[place] ?? none()));

/** What the model said of each window, as probabilities. */
export function weightedOf(
  model: ServedModel,
  windows: readonly Window[],
  rows: readonly RowAnswer[],
): readonly Weighted[] {
  return rows.map(({ logits }, place) => ({
    probabilities: probabilitiesOf(logits, model.temperature),
    // At least 1: a text without any token (a lone control character) still has its special tokens read.
    tokens: Math.max(1, windows[place]?.ids.length ?? 0),
  }));
}

export function opinionOf(
  model: ServedModel,
  windows: readonly Window[],
  rows: readonly RowAnswer[],
): Opinion & { readonly probabilities: Probabilities } {
  const probabilities = merged(weightedOf(model, windows, rows));
  return { ...labelOf(probabilities), score: scoreOf(probabilities), probabilities };
}
