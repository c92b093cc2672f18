import { type AnalyzeOptions, LongText, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { sentences } from "../../test/support/sentences.js";

/** What a client sends next. */
export type Ask =
  | {
      readonly kind: "unary" | "bad" | "left";
      readonly text: string;
      readonly tier: Tier;
      readonly options: AnalyzeOptions | undefined;
    }
  | { readonly kind: "batch"; readonly texts: readonly string[]; readonly tier: Tier }
  | { readonly kind: "stream"; readonly text: string; readonly tier: Tier };

/**
 * With a number digit by digit, so that no word is new after the first minutes: of words the tokenizers keep 50,000 each, until they drop them all, and how these
 * caches fill would take longer than a soak does.
 */
const spelled = (text: string) => text.replace(/\d+/, (digits) => [...digits].join(" "));

const KNOWN = sentences(20_000).map(spelled);
/** Of all texts; the others come again and again, the text of rank r as often as 1 / r. */
const FRESH_SHARE = 0.2;
const MOST_BATCHED = 16;
const TOO_LONG = "x".repeat(10_001);
/** Several windows of each model. */
const LONG = KNOWN.slice(0, 120).join(" ").slice(0, 6000);
const PLAIN: AnalyzeOptions = {
  explain: false,
  sentences: false,
  skipCache: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

type Weighted<Value> = readonly (readonly [value: Value, weight: number])[];

const KINDS: Weighted<Ask["kind"]> = [
  ["unary", 80],
  ["stream", 9],
  ["batch", 5],
  ["bad", 3],
  ["left", 3],
];
const TIERS: Weighted<Tier> = [
  [Tier.TIER_FAST, 60],
  [Tier.TIER_UNSPECIFIED, 25],
  [Tier.TIER_AUTO, 10],
  [Tier.TIER_ACCURATE, 5],
];
const OPTIONS: Weighted<AnalyzeOptions | undefined> = [
  [undefined, 92],
  [{ ...PLAIN, sentences: true }, 4],
  [{ ...PLAIN, skipCache: true }, 3],
  [{ ...PLAIN, explain: true }, 1],
];

function drawn<Value>(weighted: Weighted<Value>, chance: () => number): Value {
  const all = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  let left = chance() * all;
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  throw new Error("nothing to draw from");
}

/** Calls as a service that many use gets them: of every kind and tier, most texts of which come again, some bad, some whose caller leaves. */
export class Traffic {
  #fresh = 0;
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  next(): Ask {
    const kind = drawn(KINDS, this.#chance);
    const tier = drawn(TIERS, this.#chance);
    switch (kind) {
      case "batch": {
        const length = 1 + Math.floor(this.#chance() * MOST_BATCHED);
        // One bad text in some of them.
        const texts = Array.from({ length }, () => (this.#chance() < 0.02 ? " " : this.#text()));
        return { kind, texts, tier };
      }
      case "stream":
        return { kind, text: this.#text(), tier };
      case "bad":
        return { kind, text: this.#chance() < 0.5 ? "" : TOO_LONG, tier, options: undefined };
      case "left":
        // Of a caller that leaves while the model works.
        return { kind, text: `${this.#freshMark()} ${LONG}`, tier, options: undefined };
      case "unary":
        return this.#unary(tier);
    }
  }

  #unary(tier: Tier): Ask {
    const options = drawn(OPTIONS, this.#chance);
    const text = this.#chance() < 0.005 ? `${this.#freshMark()} ${LONG}` : this.#text();
    return { kind: "unary", text, tier, options };
  }

  #text(): string {
    const rank = Math.floor(KNOWN.length ** this.#chance()) - 1;
    const known = KNOWN[rank] ?? "";
    return this.#chance() < FRESH_SHARE ? `${this.#freshMark()} ${known}` : known;
  }

  /** No text that begins with it has come before. */
  #freshMark(): string {
    return spelled(`Visit ${++this.#fresh}:`);
  }
}
