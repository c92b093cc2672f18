import type { Call } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { settled } from "../core/settled.js";
import { estimatedTokens } from "../core/token-estimate.js";
import { asStep } from "../core/trace.js";
import { turns } from "../core/turns.js";
import { roomOf, type ServedModel } from "./model.js";
import { type Question, read, type TimedReading } from "./reading.js";
import { timesOf, tokensOf } from "./windows.js";

/** Fills `readings`, by the place of the text, also as far as it comes before the caller leaves. */
export function readAll(
  model: ServedModel,
  texts: readonly string[],
  question: Question,
  call: Call,
  clock: Clock,
  readings: PromiseSettledResult<TimedReading>[],
): Promise<void> {
  const turn = turns(call.signal, clock);
  const { readers } = model;
  readers?.admit(model, texts, call);
  return asStep(call, "tokenize", async (span) => {
    for (const text of texts) {
      const others = turn();
      // An await of nothing costs each text a round of microtasks.
      if (others !== undefined) await others;
      const elsewhere = readers?.takes(text)
        ? await readers.read(model, text, question, call)
        : undefined;
      const outcome = elsewhere ?? settled(() => timedRead(model, text, question, clock));
      note(model, text, outcome, call);
      readings.push(outcome);
    }
    span?.set({ "sentiment.tokens": tokensRead(readings) });
  });
}

/** What reading a text takes, of what the model would: it is charged for texts that are read in vain, which would else be the only work that no quota bounds. */
const READING_SHARE = 1 / 16;

export function chargeReading(
  { tier }: ServedModel,
  texts: readonly string[],
  { charge }: Call,
): void {
  for (const text of texts) charge?.read(tier, READING_SHARE * estimatedTokens(text));
}

const tokensRead = (readings: readonly PromiseSettledResult<TimedReading>[]): number =>
  readings.reduce((sum, one) => sum + (one.status === "fulfilled" ? one.value.tokenCount : 0), 0);

function timedRead(
  model: ServedModel,
  text: string,
  question: Question,
  clock: Clock,
): TimedReading {
  const startedMs = clock.now();
  const reading = read(text, model.tokenizer, roomOf(model), question);
  return { ...reading, tokenizeMs: clock.now() - startedMs };
}

function note(
  model: ServedModel,
  text: string,
  outcome: PromiseSettledResult<TimedReading>,
  call: Call,
): void {
  if (outcome.status === "rejected") {
    chargeReading(model, [text], call);
    return;
  }
  const { events, tokenizer } = model;
  const { tokenizeMs, tokenCount, windows } = outcome.value;
  const analyzedTokenCount = tokensOf(windows);
  const unknownTokens = timesOf(tokenizer.unknownId, windows);
  events.read({ tokenizeMs, tokenCount, analyzedTokenCount, unknownTokens });
}
