import { type Call, withSignal } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { asStep, type Span } from "../core/trace.js";
import { admitUnread } from "./answers.js";
import { folded, textKey } from "./cache-keys.js";
import { classify, type Verdict } from "./classifier.js";
import {
  type AnswerCaches,
  type Inquiry,
  inquiryOf,
  partOf,
  ReadingLookup,
  verdictOf,
} from "./inquiry.js";
import { roomOf, type ServedModel } from "./model.js";
import type { Question } from "./reading.js";
import { isAnothersFault, type Landing, SingleFlight } from "./single-flight.js";

type Outcome = PromiseSettledResult<Verdict>;

/** As `classify`, but from the caches where they have it. */
export type Answer = (
  model: ServedModel,
  texts: readonly string[],
  question: Question,
  call: Call,
) => Promise<Outcome[]>;

/** Without caches: each text is classified anew. */
export const answerAnew =
  (clock: Clock): Answer =>
  async (model, texts, question, call) => {
    admitUnread(model, texts, question, call);
    return await classify(model, texts, question, call, clock);
  };

/** Of work that several callers wait for: each of them has his own limit, and this is beyond all of them. */
const late = () => new ServiceError("DEADLINE", "No answer in time: send less at once.");

/**
 * Exact text in memory, then what the model reads in memory and in Redis, then an equal text that is under way, then the model. What
 * was answered is kept. `limitMs` bounds work that its first caller has left.
 */
export function answerFromCaches(caches: AnswerCaches, clock: Clock, limitMs: number): Answer {
  const limit = { ms: limitMs, clock, late };
  const flights = new SingleFlight<Verdict>(limit);

  // What is in Redis is found by what the model reads.
  const admitsUnread = caches.shared === undefined;

  const work = async (inquiry: Inquiry, call: Call, isAdmitted: boolean): Promise<Outcome[]> => {
    const { model, texts, question } = inquiry;
    // Of its own: whoever began it may leave before it is done.
    const lease = model.lease();
    try {
      if (admitsUnread && !isAdmitted) admitUnread(model, texts, question, call);
      const lookup = new ReadingLookup(inquiry, caches, call);
      const outcomes = await classify(model, texts, question, call, clock, lookup.find);
      lookup.keep(outcomes);
      return outcomes;
    } finally {
      lease[Symbol.dispose]();
    }
  };

  /** Together with the equal texts of other calls that have a flight `among` those. */
  const joined = (
    among: SingleFlight<Verdict>,
    inquiry: Inquiry,
    call: Call,
    isAdmitted = false,
  ): Promise<Landing<Verdict>[]> => {
    return asStep(call, "join", (span) => {
      const landings = among.run(inquiry.ids, sizeOf(inquiry), call.signal, (places, abandoned) =>
        work(partOf(inquiry, places), withSignal(call, abandoned), isAdmitted),
      );
      return span === undefined ? landings : landings.then((landed) => told(span, landed));
    });
  };

  /** Throws OVERLOADED before anything is begun, which is most of what a refusal costs here; false: it must be read first, or equal texts are under way, which may be answered. */
  const admitWhole = (inquiry: Inquiry, call: Call): boolean => {
    if (!admitsUnread) return false;
    const { model, ids, question } = inquiry;
    const size = sizeOf(inquiry);
    if (ids.some((id) => flights.has(id, size))) return false;
    admitUnread(model, withoutRepeats(inquiry).texts, question, call);
    return true;
  };

  /** What failed somebody else may not fail us: once more together with the others that it has failed, then alone. */
  const tryAgain = async (landings: Landing<Verdict>[], inquiry: Inquiry, call: Call) => {
    for (const among of [flights, undefined]) {
      const again = [...landings.keys()].filter((place) => isAnothersFault(landings[place]));
      if (again.length === 0) return;
      const part = partOf(inquiry, again);
      const retried = await joined(among ?? new SingleFlight(limit), part, call);
      for (const [index, place] of again.entries())
        landings[place] = retried[index] as Landing<Verdict>;
    }
  };

  /** Throws OVERLOADED where that is the call's (`isWhole`: nothing of it was found), not single texts'. */
  const misses = async (
    inquiry: Inquiry,
    call: Call,
    isWhole: boolean,
  ): Promise<readonly Landing<Verdict>[]> => {
    const isAdmitted = isWhole && admitWhole(inquiry, call);
    const landings = await joined(flights, inquiry, call, isAdmitted);
    if (landings.some(isAnothersFault)) await tryAgain(landings, inquiry, call);
    if (isWhole) throwOverloaded(landings);
    return landings;
  };

  const byText = (model: ServedModel, texts: readonly string[], question: Question, call: Call) => {
    const room = roomOf(model);
    const looking = call.span?.step("cache.text");
    const keys = texts.map((text) =>
      textKey(model, caches.aggressive ? folded(text, model, room, question) : text, question),
    );
    const outcomes = keys.map((key): Outcome | undefined => {
      const value = caches.byText.peek(key);
      return value && { status: "fulfilled", value: verdictOf(model, value, "memory") };
    });
    const hits = outcomes.filter((outcome) => outcome !== undefined).length;
    looking?.set({ "sentiment.hits": hits });
    looking?.end();
    if (hits > 0) caches.report("memory", "hit", hits, call);
    return { keys, outcomes };
  };

  return async (model, texts, question, call) => {
    if (question.skipCache) return await answerAnew(clock)(model, texts, question, call);
    const { keys, outcomes } = byText(model, texts, question, call);
    const missing = placesWithout(outcomes);
    if (missing.length > 0) {
      const inquiry = inquiryOf({ model, texts, keys, question }, missing);
      const found = await misses(inquiry, call, missing.length === texts.length);
      for (const [index, place] of missing.entries()) outcomes[place] = found[index]?.outcome;
    }
    return outcomes.map(orLost);
  };
}

function placesWithout(outcomes: readonly (Outcome | undefined)[]): number[] {
  const places: number[] = [];
  for (const [place, outcome] of outcomes.entries()) if (outcome === undefined) places.push(place);
  return places;
}

/** Of equal texts the first. */
function withoutRepeats(inquiry: Inquiry): Inquiry {
  const { ids } = inquiry;
  if (ids.length === 1) return inquiry;
  const places = new Map<string, number>();
  for (const [place, id] of ids.entries()) if (!places.has(id)) places.set(id, place);
  return partOf(inquiry, [...places.values()]);
}

/** Which were answered by work that somebody else had begun. */
function told<Landed extends Landing<Verdict>>(span: Span, landed: Landed[]): Landed[] {
  span.set({ "sentiment.joined": landed.filter(({ joined }) => joined).length });
  return landed;
}

/** Characters: equal texts, about which the same is asked, are as large. */
const sizeOf = ({ texts }: Inquiry): number => texts.reduce((sum, text) => sum + text.length, 0);

const orLost = (outcome: Outcome | undefined): Outcome =>
  outcome ?? { status: "rejected", reason: new Error("the text has no outcome") };

/** Where there is only too much to do the call is refused, as it is without caches. */
function throwOverloaded(landings: readonly Landing<Verdict>[]): void {
  const [first] = landings;
  const reason = first?.outcome.status === "rejected" ? first.outcome.reason : undefined;
  const isOverloaded = reason instanceof ServiceError && reason.reason === "OVERLOADED";
  if (isOverloaded && landings.every(({ failedWhole }) => failedWhole)) throw reason;
}
