import { AskError, errorOf } from "./errors.ts";
import type { AnalyzeResult, Sentiment } from "./messages.ts";
import type { Pace } from "./pace.ts";

/** One call. */
export type AskBatch = (
  texts: readonly string[],
  signal: AbortSignal,
) => Promise<readonly AnalyzeResult[]>;
/** What became of a text. */
export type Outcome = Sentiment | AskError;

/** A text that the server has no time for is asked so often, while its neighbours are answered. */
const MOST_TRIES = 10;

/**
 * One outcome a text, in their order. What is too large for one call is asked in halves; a text that the server had no time for is asked
 * again. Rejects for what concerns all texts, such as a key that is not known.
 */
export async function askTexts(
  texts: readonly string[],
  ask: AskBatch,
  pace: Pace,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<number, Outcome>();
  let tries = 0;
  const askOpen = async () => {
    const open = [...texts.keys()].filter((at) => !outcomes.has(at));
    const results = await ask(
      open.map((at) => texts[at] ?? ""),
      signal,
    );
    const said = open.map((at, place) => [at, outcomeOf(results[place])] as const);
    tries++;
    const busy = said.map(([, outcome]) => outcome).find(isBusy);
    for (const [at, outcome] of said)
      if (tries >= MOST_TRIES || !isBusy(outcome)) outcomes.set(at, outcome);
    if (outcomes.size < texts.length && busy !== undefined) throw busy;
  };
  try {
    await pace.ask(askOpen, signal);
    return texts.map((_, at) => outcomes.get(at) ?? outcomeOf(undefined));
  } catch (error) {
    if (!(error instanceof AskError && error.isTooLarge)) throw error;
    if (texts.length === 1) return [error];
  }
  const half = Math.ceil(texts.length / 2);
  const first = await askTexts(texts.slice(0, half), ask, pace, signal);
  return [...first, ...(await askTexts(texts.slice(half), ask, pace, signal))];
}

const isBusy = (outcome: Outcome): outcome is AskError =>
  outcome instanceof AskError && outcome.isRetryable;

function outcomeOf(result: AnalyzeResult | undefined): Outcome {
  if (result?.sentiment !== undefined) return result.sentiment;
  return errorOf(result?.error ?? { code: 13, message: "The bridge left this text out." });
}
