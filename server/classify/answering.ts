import type { Cache, CacheKey, CacheTier } from "../cache/cache.js";
import type { MemoryCache } from "../cache/memory.js";
import { type Caller, withLimit } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { asStep, currentSpan } from "../core/trace.js";
import { admitUnread } from "./answers.js";
import { folded, isPlain, readingKey, textKey } from "./cache-keys.js";
import { answerOf, type CachedAnswer, withWords } from "./cached-answer.js";
import { classify, type FindVerdicts, type Verdict } from "./classifier.js";
import { roomOf, type ServedModel } from "./model.js";
import type { Question } from "./reading.js";
import { isAnothersFault, type Landing, SingleFlight } from "./single-flight.js";

type Outcome = PromiseSettledResult<Verdict>;

/** As `classify`, but from the caches where they have it. */
export type Answer = (
  model: ServedModel,
  texts: readonly string[],
  question: Question,
  caller: Caller,
) => Promise<Outcome[]>;

export interface AnswerCaches {
  /** By the very text: a hit pays no tokenizing. */
  readonly byText: MemoryCache<CachedAnswer>;
  /** By what the model reads. */
  readonly byReading: MemoryCache<CachedAnswer>;
  /** Outside the process; undefined: there is none. */
  readonly shared: Cache<CachedAnswer> | undefined;
  /** Texts that differ only in what the model does not see are one text already before they are read. */
  readonly aggressive: boolean;
  /** Told what came of looking for so many texts. */
  readonly report: (tier: CacheTier, outcome: "hit" | "miss", count: number) => void;
}

/** Without caches: each text is classified anew. */
export const answerAnew =
  (clock: Clock): Answer =>
  async (model, texts, question, caller) => {
    admitUnread(model, texts, question);
    return await classify(model, texts, question, caller.signal, clock);
  };

/** Of work that several callers wait for: each of them has his own limit, and this is beyond all of them. */
const late = () => new ServiceError("DEADLINE", "No answer in time: send less at once.");

/**
 * Exact text in memory, then what the model reads in memory and in Redis, then an equal text that is under way, then the model. What
 * was answered is kept. `limitMs` bounds work that its first caller has left.
 */
export function answerFromCaches(caches: AnswerCaches, clock: Clock, limitMs: number): Answer {
  const flights = new SingleFlight<Verdict>();

  const work = async (inquiry: Inquiry, signal: AbortSignal): Promise<Outcome[]> => {
    const { model, texts, question } = inquiry;
    // Of its own: whoever began it may leave before it is done.
    using _lease = model.lease();
    // What is in Redis is found by what the model reads.
    if (caches.shared === undefined) admitUnread(model, texts, question);
    const lookup = new ReadingLookup(inquiry, caches);
    const outcomes = await classify(model, texts, question, signal, clock, lookup.find);
    lookup.keep(outcomes);
    return outcomes;
  };

  /** Together with the equal texts of other calls that have a flight `among` those. */
  const joined = async (
    among: SingleFlight<Verdict>,
    inquiry: Inquiry,
    signal: AbortSignal,
  ): Promise<readonly Landing<Verdict>[]> => {
    const ids = inquiry.keys.map(({ space, hash }) => `${space}/${hash}`);
    return await asStep("join", async (span) => {
      const landed = await among.run(ids, signal, (places, abandoned) =>
        withLimit(abandoned, limitMs, clock, late, (callers) =>
          work(partOf(inquiry, places), callers.signal),
        ),
      );
      // Answered by work that somebody else had begun.
      span?.set({ "sentiment.joined": landed.filter(({ joined }) => joined).length });
      return landed;
    });
  };

  const misses = async (
    inquiry: Inquiry,
    signal: AbortSignal,
  ): Promise<readonly Landing<Verdict>[]> => {
    const landings = [...(await joined(flights, inquiry, signal))];
    // What failed somebody else may not fail us: once more together with the others that it has failed, then alone.
    for (const among of [flights, undefined]) {
      const again = [...landings.keys()].filter((place) => isAnothersFault(landings[place]));
      if (again.length === 0) break;
      const part = partOf(inquiry, again);
      const retried = await joined(among ?? new SingleFlight(), part, signal);
      for (const [index, place] of again.entries())
        landings[place] = retried[index] as Landing<Verdict>;
    }
    return landings;
  };

  const byText = (model: ServedModel, texts: readonly string[], question: Question) => {
    const room = roomOf(model);
    const looking = currentSpan()?.step("cache.text");
    const keys = texts.map((text) =>
      textKey(model, caches.aggressive ? folded(text, model, room, question) : text, question),
    );
    const outcomes = keys.map((key, place): Outcome | undefined => {
      const value = caches.byText.peek(key);
      const text = texts[place] ?? "";
      return value && { status: "fulfilled", value: verdictOf(model, text, value, "memory") };
    });
    const hits = outcomes.filter((outcome) => outcome !== undefined).length;
    looking?.set({ "sentiment.hits": hits });
    looking?.end();
    if (hits > 0) caches.report("memory", "hit", hits);
    return { keys, outcomes };
  };

  return async (model, texts, question, caller) => {
    if (question.skipCache) return await answerAnew(clock)(model, texts, question, caller);
    const { keys, outcomes } = byText(model, texts, question);
    const missing = [...keys.keys()].filter((place) => outcomes[place] === undefined);
    if (missing.length > 0) {
      const inquiry = partOf({ model, texts, keys, question }, missing);
      const found = await misses(inquiry, caller.signal);
      if (missing.length === texts.length) throwOverloaded(found);
      for (const [index, place] of missing.entries()) outcomes[place] = found[index]?.outcome;
    }
    return outcomes.map(
      (outcome) => outcome ?? { status: "rejected", reason: new Error("the text has no outcome") },
    );
  };
}

/** Where there is only too much to do the call is refused, as it is without caches. */
function throwOverloaded(landings: readonly Landing<Verdict>[]): void {
  const [first] = landings;
  const reason = first?.outcome.status === "rejected" ? first.outcome.reason : undefined;
  const isOverloaded = reason instanceof ServiceError && reason.reason === "OVERLOADED";
  if (isOverloaded && landings.every(({ failedWhole }) => failedWhole)) throw reason;
}

/** Texts that are asked about, each with its key. */
interface Inquiry {
  readonly model: ServedModel;
  readonly texts: readonly string[];
  readonly keys: readonly CacheKey[];
  readonly question: Question;
}

const partOf = (inquiry: Inquiry, places: readonly number[]): Inquiry => ({
  ...inquiry,
  texts: pick(inquiry.texts, places),
  keys: pick(inquiry.keys, places),
});

/** Of one piece of work: looks for verdicts by what the model reads, and keeps those that it gave. */
class ReadingLookup {
  /** Undefined where a text could not be read. */
  #keys: readonly (CacheKey | undefined)[] = [];
  readonly #inquiry: Inquiry;
  readonly #caches: AnswerCaches;

  constructor(inquiry: Inquiry, caches: AnswerCaches) {
    this.#inquiry = inquiry;
    this.#caches = caches;
  }

  find: FindVerdicts = async (readings) => {
    const { model, keys, question } = this.#inquiry;
    const plain = isPlain(question);
    this.#keys = readings.map((reading, place) => {
      if (reading.status === "rejected") return undefined;
      return plain ? readingKey(model, reading.value) : keys[place];
    });
    const looking = currentSpan()?.step("cache.reading");
    const found = this.#keys.map((key, place) => {
      const value = key && plain ? this.#caches.byReading.peek(key) : undefined;
      return value && this.#verdictOf(place, value, "memory", readings);
    });
    looking?.set({ "sentiment.hits": found.filter((one) => one !== undefined).length });
    looking?.end();
    this.#report("memory", found);
    await this.#findShared(found, readings);
    return found;
  };

  async #findShared(
    found: (Verdict | undefined)[],
    readings: Parameters<FindVerdicts>[0],
  ): Promise<void> {
    const { shared } = this.#caches;
    const places = [...found.keys()].filter((place) => !found[place] && this.#keys[place]);
    if (shared === undefined || places.length === 0) return;
    const keys = places.map((place) => this.#keys[place] as CacheKey);
    const hits = await asStep(
      "cache.redis",
      async (span) => {
        const values = await shared.get(keys);
        span?.set({ "sentiment.hits": values.filter((hit) => hit !== undefined).length });
        return values;
      },
      { kind: "client", attributes: { "db.system.name": "redis", "sentiment.keys": keys.length } },
    );
    for (const [index, place] of places.entries()) {
      const hit = hits[index];
      if (hit) found[place] = this.#verdictOf(place, hit.value, hit.tier, readings);
    }
    this.#report("redis", pick(found, places));
  }

  keep(outcomes: readonly Outcome[]): void {
    const span = currentSpan()?.step("cache.write");
    const byText: [CacheKey, CachedAnswer][] = [];
    const byReading: [CacheKey, CachedAnswer][] = [];
    const shared: [CacheKey, CachedAnswer][] = [];
    for (const [place, outcome] of outcomes.entries()) {
      const [itsTextKey, key] = [this.#inquiry.keys[place], this.#keys[place]];
      if (outcome.status === "rejected" || !itsTextKey || !key) continue;
      const answer = answerOf(outcome.value);
      byText.push([itsTextKey, answer]);
      if (key !== itsTextKey) byReading.push([key, answer]);
      if (outcome.value.cache === "none") shared.push([key, answer]);
    }
    this.#caches.byText.set(byText);
    this.#caches.byReading.set(byReading);
    if (shared.length > 0) this.#caches.shared?.set(shared);
    span?.set({ "sentiment.answers": byText.length });
    span?.end();
  }

  #verdictOf(
    place: number,
    answer: CachedAnswer,
    tier: CacheTier,
    readings: Parameters<FindVerdicts>[0],
  ): Verdict {
    const { model, texts } = this.#inquiry;
    const reading = readings[place];
    const tokenizeMs = reading?.status === "fulfilled" ? reading.value.tokenizeMs : 0;
    return verdictOf(model, texts[place] ?? "", answer, tier, tokenizeMs);
  }

  #report(tier: CacheTier, found: readonly (Verdict | undefined)[]): void {
    const hits = found.filter((one) => one !== undefined).length;
    if (hits > 0) this.#caches.report(tier, "hit", hits);
    if (found.length > hits) this.#caches.report(tier, "miss", found.length - hits);
  }
}

const verdictOf = (
  model: ServedModel,
  text: string,
  answer: CachedAnswer,
  cache: CacheTier,
  tokenizeMs = 0,
): Verdict => ({
  ...withWords(answer, text),
  model,
  version: model.version,
  cache,
  timings: { tokenizeMs, queueMs: 0, inferenceMs: 0, batchRows: 0, paddingRatio: 0 },
});

const pick = <Item>(items: readonly Item[], places: readonly number[]): Item[] =>
  places.map((place) => items[place] as Item);
