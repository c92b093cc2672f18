import type { Call } from "../core/call.js";
import type { Answer } from "./answering.js";
import type { Verdict } from "./classifier.js";
import type { CascadeEvents } from "./events.js";
import type { ServedModel } from "./model.js";
import type { Question } from "./reading.js";

/** The two models of the cascade (TIER_AUTO), and what decides between them. */
export interface Cascade {
  readonly fast: ServedModel;
  readonly accurate: ServedModel;
  /** Calibrated confidence, 0 to 1, under which a text goes on to the accurate model. */
  readonly threshold: number;
  readonly events: CascadeEvents;
}

/**
 * As `answer`, by two models: the fast one reads all texts, the accurate one those of which the first is not sure. The model
 * of each verdict tells which answered; its timings are those of both.
 */
export async function cascade(
  { fast, accurate, threshold, events }: Cascade,
  texts: readonly string[],
  question: Question,
  call: Call,
  answer: Answer,
): Promise<PromiseSettledResult<Verdict>[]> {
  // Sentences and words cost many rows: only the model that answers is asked about them.
  const quick = { ...question, sentences: false, explain: false };
  const outcomes = await answer(fast, texts, quick, call);
  const unsure = placesOf(outcomes, ({ confidence }) => confidence < threshold);
  const sure = placesOf(outcomes, ({ confidence }) => confidence >= threshold);
  if (!call.origin.isUnasked) {
    events.decided("fast", sure.length);
    events.decided("accurate", unsure.length);
  }
  const again = question.sentences || question.explain ? sure : [];
  const ask = async (model: ServedModel, places: readonly number[]) => {
    if (places.length === 0) return;
    const asked = places.map((place) => texts[place] ?? "");
    const answers = await answer(model, asked, question, call).catch((reason: unknown) => {
      // What fails one model is no fault of the texts that the other has answered.
      call.signal.throwIfAborted();
      return asked.map(() => ({ status: "rejected" as const, reason }));
    });
    for (const [index, place] of places.entries()) {
      const [before, after] = [outcomes[place], answers[index]];
      if (before && after) outcomes[place] = withTimingsOf(before, after);
    }
  };
  await Promise.all([ask(accurate, unsure), ask(fast, again)]);
  return outcomes;
}

function placesOf(
  outcomes: readonly PromiseSettledResult<Verdict>[],
  which: (verdict: Verdict) => boolean,
): readonly number[] {
  return outcomes.flatMap((outcome, place) =>
    outcome.status === "fulfilled" && which(outcome.value) ? [place] : [],
  );
}

/** The later outcome, with the time that the earlier one took added to its own. */
function withTimingsOf(
  before: PromiseSettledResult<Verdict>,
  after: PromiseSettledResult<Verdict>,
): PromiseSettledResult<Verdict> {
  if (before.status === "rejected" || after.status === "rejected") return after;
  const [first, last] = [before.value.timings, after.value.timings];
  const timings = {
    ...last,
    tokenizeMs: first.tokenizeMs + last.tokenizeMs,
    queueMs: first.queueMs + last.queueMs,
    inferenceMs: first.inferenceMs + last.inferenceMs,
  };
  return { status: "fulfilled", value: { ...after.value, timings } };
}
