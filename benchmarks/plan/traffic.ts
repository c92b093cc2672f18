import type { Tier } from "../../server/core/tiers.js";
import type { Costs } from "./costs.js";
import { hitRateOf, keptFor } from "./hit-rate.js";
import type { Load } from "./load.js";
import { type Length, lengthsAround, type Piece } from "./work.js";

/** Of the lengths of texts where only their mean is told, as in `make bench`; short and long ones vary less. */
const SIGMA = 0.5;
const SIGMA_OF_KINDS = 0.2;
/** A batch grows up to this many times its fixed cost (server/batch/plan.ts). */
const WORTHWHILE = 30;

/** What a load costs, text by text. */
export interface Traffic {
  /** Share of the texts that is answered from a cache. */
  readonly hitRate: number;
  /** Answers in Redis at any time, where servers share them or would. */
  readonly redisEntries: number;
  /** CPU of all texts beside the model. */
  readonly front: readonly Piece[];
  /** CPU of the model; only texts that are not cached. */
  readonly model: readonly Piece[];
  /** Both, text by text. */
  readonly all: readonly Piece[];
  /** Both, of the texts that are not cached. */
  readonly inferred: readonly Piece[];
}

export function trafficOf(load: Load, costs: Costs): Traffic {
  const { hitRate, redisEntries } = cachingOf(load);
  const unary = load.CALLS === "unary";
  const { texts } = costs;
  const missMs = (unary ? texts.unary : texts.batch).value / 1000;
  const hitMs = (unary ? texts.unaryCached : texts.batchCached).value / 1000;
  const hit = { share: hitRate, ms: hitMs };
  const model = modelPieces(load, costs).map(({ share, ms }) => ({
    share: share * (1 - hitRate),
    ms,
  }));
  const inferred = model.map(({ share, ms }) => ({ share, ms: ms + missMs }));
  const front = [hit, { share: 1 - hitRate, ms: missMs }];
  return { hitRate, redisEntries, front, model, all: [hit, ...inferred], inferred };
}

function cachingOf({ RATE, HIT_RATE, ZIPF, TEXTS, ENTRIES, REDIS, TTL }: Load) {
  if (ZIPF === undefined) {
    const hitRate = HIT_RATE ?? 0;
    return { hitRate, redisEntries: RATE * (1 - hitRate) * TTL };
  }
  const zipf = { skew: ZIPF, texts: TEXTS };
  const shared = keptFor(zipf, RATE * TTL);
  // What memory holds must have come within CACHE_TTL, too.
  const own = Math.min(hitRateOf(zipf, ENTRIES), shared.hitRate);
  return { hitRate: REDIS === "1" ? shared.hitRate : own, redisEntries: shared.entries };
}

function lengthsOf({ TOKENS, LONG_TOKENS, LONG_SHARE }: Load): readonly Length[] {
  if (LONG_SHARE === 0) return lengthsAround(TOKENS, 1, SIGMA);
  return [
    ...lengthsAround(TOKENS, 1 - LONG_SHARE, SIGMA_OF_KINDS),
    ...lengthsAround(LONG_TOKENS, LONG_SHARE, SIGMA_OF_KINDS),
  ];
}

function modelPieces(load: Load, costs: Costs): readonly Piece[] {
  const textsPerCall = load.CALLS === "batch" ? load.BATCH : 1;
  const costOf = (tier: Tier, tokens: number) => {
    const { batch, token } = costs.tiers[tier];
    return modelMs(textsPerCall, tokens, batch.value, token.value);
  };
  const escalated = costs.escalated.value;
  return lengthsOf(load).flatMap((length) =>
    load.TIERS.flatMap(({ tier, share: part }): Piece[] => {
      const share = length.share * part;
      if (tier !== "auto") return [{ share, ms: costOf(tier, length.tokens) }];
      const fastMs = costOf("fast", length.tokens);
      const bothMs = fastMs + costOf("accurate", length.tokens);
      return [
        { share: share * (1 - escalated), ms: fastMs },
        { share: share * escalated, ms: bothMs },
      ];
    }),
  );
}

/** Of a text in a call of so many: single ones pay a batch's fixed part in full, since at the utilizations that are planned for most batches are of a text or two. */
export function modelMs(textsPerCall: number, tokens: number, batchUs: number, tokenUs: number) {
  const worthwhile = Math.max(1, (WORTHWHILE * batchUs) / (tokens * tokenUs));
  return (batchUs / Math.min(textsPerCall, worthwhile) + tokens * tokenUs) / 1000;
}
