import type { Outcome, Sentiment } from "../sentiment.js";

/** One line for a person: label, score, confidence, text. */
export function textLine({ text, sentiment, error }: Outcome): string {
  if (error) return `ERROR     ${error.reason ?? error.code}: ${onOneLine(error.message)}\n`;
  const { label, score, confidence } = sentiment;
  const name = label.toUpperCase().padEnd(8);
  const signed = `${score < 0 ? "" : "+"}${score.toFixed(3)}`;
  return `${name}  ${signed}  ${(confidence * 100).toFixed(1).padStart(5)} %  ${text}\n`;
}

/** A file of answers has as many lines as its texts. */
const onOneLine = (text: string) => text.replaceAll(/\r?\n/g, " ");

/** One JSON object on a line for a program. */
export const jsonLine = (outcome: Outcome): string =>
  `${JSON.stringify({ text: outcome.text, ...fieldsOf(outcome) })}\n`;

/** What a program is told of a text, as JSON. */
export function fieldsOf({ sentiment, error }: Outcome): Readonly<Record<string, unknown>> {
  if (error) return { error: { reason: error.reason ?? error.code, message: error.message } };
  const { tier, model, modelVersion, tokenCount, analyzedTokenCount } = sentiment;
  return {
    label: sentiment.label.toUpperCase(),
    score: float32(sentiment.score),
    confidence: float32(sentiment.confidence),
    probabilities: probabilitiesOf(sentiment),
    tier,
    model,
    modelVersion,
    tokenCount,
    analyzedTokenCount,
  };
}

const probabilitiesOf = ({ probabilities: { negative, neutral, positive } }: Sentiment) => ({
  negative: float32(negative),
  neutral: float32(neutral),
  positive: float32(positive),
});

/** The server's numbers have 32 bits: the one with the fewest digits that is the same to them. */
export function float32(value: number): number {
  const exact = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(exact.toPrecision(digits));
    if (Math.fround(short) === exact) return short;
  }
  return Number(exact.toPrecision(9));
}
