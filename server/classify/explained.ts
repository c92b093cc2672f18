import type { Call } from "../core/call.js";
import { type Answers, answersOf, answersTo, weightedOf } from "./answers.js";
import { type Attribution, explain } from "./explain.js";
import { roomOf, type ServedModel } from "./model.js";
import type { Reading } from "./reading.js";
import { inCodePoints, type Span } from "./spans.js";
import type { Weighted } from "./verdict.js";

/** What each word of a text that the model has read adds to its score, in code points: further rows of the same batches. */
export async function attributionsOf(
  model: ServedModel,
  { text, windows }: Reading,
  answers: Answers,
  call: Call,
  turn: () => Promise<void> | undefined,
): Promise<Attribution[]> {
  const room = roomOf(model);
  const ask = async (parts: readonly string[]): Promise<readonly Weighted[]> => {
    const rows = [];
    for (const part of parts) {
      await turn();
      const ids = model.tokenizer.encode(part).slice(0, room);
      rows.push({ begin: 0, end: part.length, ids });
    }
    return weightedOf(model, rows, answersTo(rows, await answersOf(model, rows, call, true)));
  };
  const said = weightedOf(model, windows, answersTo(windows, answers));
  const words = await explain({ text, windows, said }, ask);
  const spans = inCodePoints(text, words);
  return words.map(({ weight }, place) => ({ ...(spans[place] as Span), weight }));
}
