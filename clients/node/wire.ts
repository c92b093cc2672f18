import type { Duration } from "../../server/gen/google/protobuf/duration.js";
import * as api from "../../server/gen/sentiment/v1/sentiment.js";
import type { AnalyzeOptions, LongText, Tier } from "./options.js";
import type { Analysis, Label, Model, Sentiment, Timing } from "./sentiment.js";

type Values = Readonly<Record<string, number>>;

/** Names of an enum's values without their prefix, in small letters: LABEL_POSITIVE is `positive`. */
function namesOf<Name extends string>(values: Values, prefix: string): (value: number) => Name {
  const names = new Map(
    Object.entries(values).map(([name, value]) => [value, name.slice(prefix.length).toLowerCase()]),
  );
  // What a newer server says; it is no reason to lose the rest of the answer.
  return (value) => (names.get(value) ?? "unknown") as Name;
}

const labelOf = namesOf<Label>(api.Label, "LABEL_");
const tierOf = namesOf<Sentiment["tier"]>(api.Tier, "TIER_");
const cacheOf = namesOf<Sentiment["cache"]>(api.CacheTier, "CACHE_TIER_");

export const TIERS: Readonly<Record<Tier, api.Tier>> = {
  fast: api.Tier.TIER_FAST,
  balanced: api.Tier.TIER_BALANCED,
  accurate: api.Tier.TIER_ACCURATE,
  auto: api.Tier.TIER_AUTO,
};
const LONG_TEXTS: Readonly<Record<LongText, api.LongText>> = {
  windows: api.LongText.LONG_TEXT_WINDOWS,
  truncate: api.LongText.LONG_TEXT_TRUNCATE,
  reject: api.LongText.LONG_TEXT_REJECT,
};

/** What every request has besides its text. */
export interface Wanted {
  readonly tier: api.Tier;
  readonly options: api.AnalyzeOptions;
}

/** Throws RangeError for a tier or a way with long texts that there is not. */
export function wantedOf(options: AnalyzeOptions): Wanted {
  const { tier, longText, sentences = false, explain = false, skipCache = false } = options;
  return {
    tier: chosen(TIERS, "tier", tier) ?? api.Tier.TIER_UNSPECIFIED,
    options: {
      sentences,
      explain,
      skipCache,
      longText: chosen(LONG_TEXTS, "longText", longText) ?? api.LongText.LONG_TEXT_UNSPECIFIED,
    },
  };
}

function chosen<Name extends string, Value>(
  values: Readonly<Record<Name, Value>>,
  option: string,
  name: Name | undefined,
): Value | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(values, name)) return values[name];
  throw new RangeError(`${option} ${name} is unknown: use ${Object.keys(values).join(", ")}`);
}

export const sentimentOf = (answer: api.Sentiment): Sentiment => ({
  ...answer,
  label: labelOf(answer.label),
  probabilities: answer.probabilities ?? { negative: 0, neutral: 0, positive: 0 },
  tier: tierOf(answer.tier),
  cache: cacheOf(answer.cache),
  sentences: answer.sentences.map((one) => ({ ...one, label: labelOf(one.label) })),
});

const msOf = (time: Duration | undefined) =>
  time === undefined ? 0 : time.seconds * 1000 + time.nanos / 1e6;

const timingOf = (timing: api.Timing | undefined): Timing => ({
  tokenizeMs: msOf(timing?.tokenize),
  queueMs: msOf(timing?.queue),
  inferenceMs: msOf(timing?.inference),
  totalMs: msOf(timing?.total),
  batchSize: timing?.batchSize ?? 0,
  paddingRatio: timing?.paddingRatio ?? 0,
});

/** undefined: the server broke its promise to say something of every text. */
export const analysisOf = (answer: api.AnalyzeResponse): Analysis | undefined =>
  answer.sentiment && {
    sentiment: sentimentOf(answer.sentiment),
    timing: timingOf(answer.timing),
  };

export const modelOf = (model: api.Model): Model => ({
  ...model,
  tier: tierOf(model.tier),
  labels: model.labels.map(labelOf),
});
