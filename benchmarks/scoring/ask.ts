import {
  type AnalyzeOptions,
  LongText,
  type Sentiment,
  type SentimentServiceClient,
  Tier as TierMessage,
} from "../../server/gen/sentiment/v1/sentiment.js";

/** What a caller may name: the three models, and the cascade. */
const TIERS = {
  fast: TierMessage.TIER_FAST,
  balanced: TierMessage.TIER_BALANCED,
  accurate: TierMessage.TIER_ACCURATE,
  auto: TierMessage.TIER_AUTO,
} as const;
export type TierName = keyof typeof TIERS;
export const TIER_NAMES = Object.keys(TIERS) as TierName[];

/** Answers of the server, one a text, in their order. Throws where a text has none. */
export type Ask = (
  tier: TierName,
  texts: readonly string[],
  options?: Partial<AnalyzeOptions>,
) => Promise<readonly Sentiment[]>;

const TEXTS_PER_CALL = 100;
const PLAIN: AnalyzeOptions = {
  explain: false,
  sentences: false,
  skipCache: true,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

export const asker =
  (client: SentimentServiceClient): Ask =>
  async (tier, texts, options = {}) => {
    const found: Sentiment[] = [];
    for (let first = 0; first < texts.length; first += TEXTS_PER_CALL) {
      const some = texts.slice(first, first + TEXTS_PER_CALL);
      const { results } = await client.analyzeBatch({
        texts: some,
        tier: TIERS[tier],
        options: { ...PLAIN, ...options },
      });
      for (const { sentiment, error, index } of results) {
        if (sentiment === undefined) throw new Error(`${some[index]}: ${error?.message}`);
        found.push(sentiment);
      }
    }
    return found;
  };
