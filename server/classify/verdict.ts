import { LABELS, type Label, type Probabilities } from "../core/tiers.js";

/** Softmax of `logits / temperature`, in the order of LABELS. */
export function probabilitiesOf(logits: ArrayLike<number>, temperature: number): Probabilities {
  const { NaN: none } = Number;
  const negative = (logits[0] ?? none) / temperature;
  const neutral = (logits[1] ?? none) / temperature;
  const positive = (logits[2] ?? none) / temperature;
  // The largest is taken off first: exp of large logits would be infinite.
  const largest = Math.max(negative, neutral, positive);
  const weights = [
    Math.exp(negative - largest),
    Math.exp(neutral - largest),
    Math.exp(positive - largest),
  ] as const;
  const sum = weights[0] + weights[1] + weights[2];
  if (!Number.isFinite(sum))
    throw new Error("the model gave logits that are not three finite numbers");
  return [weights[0] / sum, weights[1] / sum, weights[2] / sum];
}

/** What the model says of a window, and how much of the text that is. */
export interface Weighted {
  readonly probabilities: Probabilities;
  readonly tokens: number;
}

/** The mean of several windows' probabilities, each counted by its tokens. */
export function merged(windows: readonly Weighted[]): Probabilities {
  const [first] = windows;
  if (first !== undefined && windows.length === 1) return first.probabilities;
  const sums: [number, number, number] = [0, 0, 0];
  let all = 0;
  for (const { probabilities, tokens } of windows) {
    all += tokens;
    for (const place of [0, 1, 2] as const) sums[place] += probabilities[place] * tokens;
  }
  return [sums[0] / all, sums[1] / all, sums[2] / all];
}

/** The most probable label and how probable it is. The first in the order of LABELS where two are equal. */
export function labelOf(probabilities: Probabilities): { label: Label; confidence: number } {
  const confidence = Math.max(...probabilities);
  return { label: LABELS[probabilities.indexOf(confidence)] ?? "neutral", confidence };
}

/** p(positive) - p(negative), -1 to 1. */
export const scoreOf = (probabilities: Probabilities): number =>
  probabilities[2] - probabilities[0];

/** A sentence of at least this score, up or down, is a strong one. */
const STRONG = 0.5;

/** Whether strong sentences disagree. */
export const isMixed = (sentences: readonly { readonly score: number }[]): boolean =>
  sentences.some(({ score }) => score >= STRONG) && sentences.some(({ score }) => score <= -STRONG);
