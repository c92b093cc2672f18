import type { RowAnswer } from "../batch/batcher.js";
import { type Answers, answersOf, answersTo, weighted } from "./answers.js";
import { type Attribution, explain } from "./explain.js";
import { roomOf, type ServedModel } from "./model.js";
import type { Reading } from "./reading.js";
import { inCodePoints, type Span } from "./spans.js";
import { probabilitiesOf, type Weighted } from "./verdict.js";

/** What each word of a text that the model has read adds to its score, in code points: further rows of the same batches. */
export async function attributionsOf(
  model: ServedModel,
  { text, windows }: Reading,
  answers: Answers,
  signal: AbortSignal,
  turn: () => Promise<void> | undefined,
): Promise<(Attribution & { readonly word: string })[]> {
  const room = roomOf(model);
  const ask = async (parts: readonly string[]): Promise<readonly Weighted[]> => {
    const rows = [];
    for (const part of parts) {
      await turn();
      const ids = model.tokenizer.encode(part).slice(0, room);
      rows.push({ begin: 0, end: part.length, ids });
    }
    const found = answersTo(rows, await answersOf(model, rows, signal));
    return rows.map((row, place) => weighted(model, row, found[place] as RowAnswer));
  };
  const probabilities = answersTo(windows, answers).map(({ logits }) =>
    probabilitiesOf(logits, model.temperature),
  );
  const words = await explain({ text, windows, probabilities }, ask);
  const spans = inCodePoints(text, words);
  return words.map(({ begin, end, weight }, place) => ({
    ...(spans[place] as Span),
    word: text.slice(begin, end),
    weight,
  }));
}
