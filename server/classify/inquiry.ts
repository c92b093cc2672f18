import type { Cache, CacheKey, CacheTier } from "../cache/cache.js";
import type { MemoryCache } from "../cache/memory.js";
import type { Call } from "../core/call.js";
import { asStep } from "../core/trace.js";
import { isPlain, readingKey } from "./cache-keys.js";
import { answerOf, type CachedAnswer } from "./cached-answer.js";
import type { FindVerdicts, Verdict } from "./classifier.js";
import type { ServedModel } from "./model.js";
import type { Question } from "./reading.js";

type Outcome = PromiseSettledResult<Verdict>;

export interface AnswerCaches {
  /** By the very text: a hit pays no tokenizing. */
  readonly byText: MemoryCache<CachedAnswer>;
  /** By what the model reads. */
  readonly byReading: MemoryCache<CachedAnswer>;
  /** Outside the process; undefined: there is none. */
  readonly shared: Cache<CachedAnswer> | undefined;
  /** Texts that differ only in what the model does not see are one text already before they are read. */
  readonly aggressive: boolean;
  /** Told what came of looking for so many texts of the call. */
  readonly report: (tier: CacheTier, outcome: "hit" | "miss", count: number, call: Call) => void;
}

/** Texts that are asked about, each with its key. */
export interface Inquiry {
  readonly model: ServedModel;
  readonly texts: readonly string[];
  readonly keys: readonly CacheKey[];
  /** The keys, each as one string: equal ones are of equal texts. */
  readonly ids: readonly string[];
  readonly question: Question;
}

/** About the texts at those places. `places`: each once, ascending. */
export function inquiryOf(whole: Omit<Inquiry, "ids">, places: readonly number[]): Inquiry {
  const { model, texts, question } = whole;
  const keys = pick(whole.keys, places);
  const ids = keys.map(({ space, hash }) => `${space}/${hash}`);
  return { model, texts: pick(texts, places), keys, ids, question };
}

/** The same. */
export function partOf(inquiry: Inquiry, places: readonly number[]): Inquiry {
  if (places.length === inquiry.texts.length) return inquiry;
  const { texts, keys, ids } = inquiry;
  const parts = { texts: pick(texts, places), keys: pick(keys, places), ids: pick(ids, places) };
  return { ...inquiry, ...parts };
}

/** Of one piece of work for the call: looks for verdicts by what the model reads, and keeps those that it gave. */
export class ReadingLookup {
  /** Undefined where a text could not be read. */
  #keys: readonly (CacheKey | undefined)[] = [];
  readonly #inquiry: Inquiry;
  readonly #caches: AnswerCaches;
  readonly #call: Call;

  constructor(inquiry: Inquiry, caches: AnswerCaches, call: Call) {
    this.#inquiry = inquiry;
    this.#caches = caches;
    this.#call = call;
  }

  find: FindVerdicts = (readings) => {
    const { model, keys, question } = this.#inquiry;
    const plain = isPlain(question);
    this.#keys = readings.map((reading, place) => {
      if (reading.status === "rejected") return undefined;
      return plain ? readingKey(model, reading.value) : keys[place];
    });
    const looking = this.#call.span?.step("cache.reading");
    const found = this.#keys.map((key, place) => {
      const value = key && plain ? this.#caches.byReading.peek(key) : undefined;
      return value && this.#verdictOf(place, value, "memory", readings);
    });
    looking?.set({ "sentiment.hits": found.filter((one) => one !== undefined).length });
    looking?.end();
    this.#report("memory", found);
    const { shared } = this.#caches;
    return shared === undefined ? found : this.#findIn(shared, found, readings);
  };

  async #findIn(
    shared: Cache<CachedAnswer>,
    found: (Verdict | undefined)[],
    readings: Parameters<FindVerdicts>[0],
  ): Promise<readonly (Verdict | undefined)[]> {
    const places = [...found.keys()].filter((place) => !found[place] && this.#keys[place]);
    if (places.length === 0) return found;
    const keys = places.map((place) => this.#keys[place] as CacheKey);
    const hits = await asStep(
      this.#call,
      "cache.redis",
      async (span) => {
        const values = await shared.get(keys, this.#call.origin.isUnasked);
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
    return found;
  }

  keep(outcomes: readonly Outcome[]): void {
    const span = this.#call.span?.step("cache.write");
    const byReading: [CacheKey, CachedAnswer][] = [];
    const shared: [CacheKey, CachedAnswer][] = [];
    let kept = 0;
    for (const [place, outcome] of outcomes.entries()) {
      const [itsTextKey, key] = [this.#inquiry.keys[place], this.#keys[place]];
      if (outcome.status === "rejected" || !itsTextKey || !key) continue;
      const answer = answerOf(outcome.value);
      const { cache } = outcome.value;
      this.#caches.byText.setFor(this.#lifeOf(cache, key), itsTextKey, answer);
      if (key !== itsTextKey && cache !== "memory") byReading.push([key, answer]);
      if (cache === "none") shared.push([key, answer]);
      kept++;
    }
    this.#caches.byReading.set(byReading);
    if (shared.length > 0) this.#caches.shared?.set(shared);
    span?.set({ "sentiment.answers": kept });
    span?.end();
  }

  /** Milliseconds that an answer may be kept by its text: what was found in memory lives no longer for being found by another text. */
  #lifeOf(cache: Verdict["cache"], key: CacheKey): number {
    return cache === "memory" ? this.#caches.byReading.leftMs(key) : Number.POSITIVE_INFINITY;
  }

  #verdictOf(
    place: number,
    answer: CachedAnswer,
    tier: CacheTier,
    readings: Parameters<FindVerdicts>[0],
  ): Verdict {
    const { model } = this.#inquiry;
    const reading = readings[place];
    const tokenizeMs = reading?.status === "fulfilled" ? reading.value.tokenizeMs : 0;
    return verdictOf(model, answer, tier, tokenizeMs);
  }

  #report(tier: CacheTier, found: readonly (Verdict | undefined)[]): void {
    const hits = found.filter((one) => one !== undefined).length;
    if (hits > 0) this.#caches.report(tier, "hit", hits, this.#call);
    const misses = found.length - hits;
    if (misses > 0) this.#caches.report(tier, "miss", misses, this.#call);
  }
}

export const verdictOf = (
  model: ServedModel,
  answer: CachedAnswer,
  cache: CacheTier,
  tokenizeMs = 0,
): Verdict => ({
  ...answer,
  model,
  version: model.version,
  cache,
  timings: { tokenizeMs, queueMs: 0, inferenceMs: 0, batchRows: 0, paddingRatio: 0 },
});

/** `places`: each once, ascending. */
const pick = <Item>(items: readonly Item[], places: readonly number[]): readonly Item[] =>
  places.length === items.length ? items : places.map((place) => items[place] as Item);
