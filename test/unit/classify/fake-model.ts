import type { RowAnswer } from "../../../server/batch/row.js";
import type { ServedModel } from "../../../server/classify/model.js";
import type { Question } from "../../../server/classify/reading.js";
import type { Call } from "../../../server/core/call.js";
import type { Tokenizer } from "../../../server/tokenize/tokenizer.js";
import type { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { recorder } from "../../support/recorder.js";

export type Rows = readonly (readonly number[])[];
export type Outcome = PromiseSettledResult<RowAnswer>;

export const [BEGIN, END] = [101, 102];
const MAX_TOKENS = 6;

/** Logits of a model that is sure of a label by 0.8; the others have 0.1 each. */
export const NEGATIVE = [Math.log(8), 0, 0];
export const NEUTRAL = [0, Math.log(8), 0];
export const POSITIVE = [0, 0, Math.log(8)];

/** Nothing but the texts' verdicts. */
export const PLAIN: Question = {
  longText: "windows",
  sentences: false,
  explain: false,
  skipCache: false,
};

export const answer = (
  logits: readonly number[],
  timings: Partial<Omit<RowAnswer, "logits">> = {},
): Outcome => ({
  status: "fulfilled",
  value: {
    logits: Float32Array.from(logits),
    version: "1+fake",
    queueMs: 1,
    inferenceMs: 2,
    batchRows: 3,
    paddingRatio: 0.5,
    ...timings,
  },
});

/** Its tokens are the numbers in the text. */
export const numbersOf = (text: string): readonly number[] =>
  (text.match(/\d+/g) ?? []).map(Number);

export const tokenizerOf = (encode: Tokenizer["encode"]): Tokenizer => ({
  encode,
  prefix: [BEGIN],
  suffix: [END],
  padId: 0,
  unknownId: undefined,
  digest: "",
  isCaseless: false,
});

/** A row's ids without the special ones. */
export const textIdsOf = (row: readonly number[]): readonly number[] => row.slice(1, -1);

/** A model of numbers, and the calls of its `submit`. To read a text takes a millisecond a character. */
export function fakeModel(
  clock: FakeClock,
  answerRows: (rows: Rows) => Outcome[] | Promise<Outcome[]>,
  parts: Partial<ServedModel> = {},
) {
  const [submit, calls] = recorder(async (rows: Rows, _call: Call) => answerRows(rows));
  const encode = (text: string) => {
    clock.advance(text.length);
    return numbersOf(text);
  };
  const model: ServedModel = {
    tier: "fast",
    name: "sentiment_fast",
    version: "1+fake.01234567",
    maxTokens: MAX_TOKENS,
    admit: () => {},
    waitMs: () => 0,
    temperature: 1,
    cascadeThreshold: undefined,
    space: "fake",
    lease: () => ({ [Symbol.dispose]: () => {} }),
    tokenizer: tokenizerOf(encode),
    readers: undefined,
    events: NO_EVENTS,
    submit,
    ready: async () => {},
    isReady: () => true,
    canServe: () => true,
    ...parts,
  };
  return [model, calls] as const;
}
