import assert from "node:assert/strict";
import type { Verdict } from "../../../server/classify/classifier.js";
import type { ServedModel } from "../../../server/classify/model.js";
import { LABELS, TIERS } from "../../../server/core/tiers.js";
import {
  CacheTier,
  Label,
  Model,
  Sentiment,
  Tier,
  Timing,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { modelMessage, sentimentMessage, timingMessage } from "../../../server/rpc/replies.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { tokenizerOf } from "../classify/fake-model.js";

const MODEL: ServedModel = {
  tier: "balanced",
  name: "sentiment_balanced",
  version: "1+embedded.01234567",
  maxTokens: 128,
  temperature: 1,
  cascadeThreshold: 0.75,
  tokenizer: tokenizerOf(() => []),
  readers: undefined,
  events: NO_EVENTS,
  space: "replies",
  lease: () => ({ [Symbol.dispose]: () => {} }),
  submit: async () => [],
  admit: () => {},
  waitMs: () => 0,
  ready: async () => {},
  isReady: () => true,
  canServe: () => true,
};
const VERDICT: Verdict = {
  label: "positive",
  score: 0.5,
  confidence: 0.625,
  probabilities: [0.125, 0.25, 0.625],
  model: MODEL,
  version: MODEL.version,
  cache: "none",
  tokenCount: 300,
  analyzedTokenCount: 126,
  sentences: [
    { begin: 0, end: 9, label: "negative", score: -0.75, confidence: 0.875 },
    { begin: 10, end: 21, label: "positive", score: 0.5, confidence: 0.75 },
  ],
  mixed: true,
  attributions: [
    { begin: 0, end: 3, weight: -1.25 },
    { begin: 4, end: 5, weight: 0.125 },
  ],
  timings: {
    tokenizeMs: 0.25,
    queueMs: 1.5,
    inferenceMs: 1002,
    batchRows: 8,
    paddingRatio: 0.125,
  },
};

describe("sentimentMessage", () => {
  const TEXT = "Bad 😀 film. I love it.";

  it("says all of a verdict, and arrives as it was sent", () => {
    const message = sentimentMessage(VERDICT, TEXT);
    assert.deepEqual(message, {
      label: Label.LABEL_POSITIVE,
      score: 0.5,
      confidence: 0.625,
      probabilities: { negative: 0.125, neutral: 0.25, positive: 0.625 },
      tier: Tier.TIER_BALANCED,
      model: "sentiment_balanced",
      modelVersion: "1+embedded.01234567",
      cache: CacheTier.CACHE_TIER_NONE,
      tokenCount: 300,
      analyzedTokenCount: 126,
      sentences: [
        { begin: 0, end: 9, label: Label.LABEL_NEGATIVE, score: -0.75, confidence: 0.875 },
        { begin: 10, end: 21, label: Label.LABEL_POSITIVE, score: 0.5, confidence: 0.75 },
      ],
      attributions: [
        { begin: 0, end: 3, token: "Bad", weight: -1.25 },
        { begin: 4, end: 5, token: "😀", weight: 0.125 },
      ],
      mixed: true,
    });
    assert.deepEqual(Sentiment.decode(Sentiment.encode(message).finish()), message);
  });

  it("is empty of what was not asked for", () => {
    const plain = { ...VERDICT, sentences: [], attributions: [], mixed: false };
    const { sentences, attributions, mixed } = sentimentMessage(plain, TEXT);
    assert.deepEqual(
      { sentences, attributions, mixed },
      {
        sentences: [],
        attributions: [],
        mixed: false,
      },
    );
  });

  it("has empty words where they are far beyond the text, as only a forger of cached answers writes them", () => {
    const forged = { ...VERDICT, attributions: [{ begin: 9, end: 4_294_967_295, weight: 1 }] };
    assert.equal(sentimentMessage(forged, "short").attributions[0]?.token, "");
  });

  it("has a value for each label", () => {
    assert.deepEqual(
      LABELS.map((label) => sentimentMessage({ ...VERDICT, label }, TEXT).label),
      [Label.LABEL_NEGATIVE, Label.LABEL_NEUTRAL, Label.LABEL_POSITIVE],
    );
  });

  it("has a value for each tier", () => {
    assert.deepEqual(
      TIERS.map((tier) => sentimentMessage({ ...VERDICT, model: { ...MODEL, tier } }, TEXT).tier),
      [Tier.TIER_FAST, Tier.TIER_BALANCED, Tier.TIER_ACCURATE],
    );
  });
});

describe("timingMessage", () => {
  it("says how long each step took, and the batch", () => {
    const message = timingMessage(VERDICT, 1004.5);
    assert.deepEqual(message, {
      tokenize: { seconds: 0, nanos: 250_000 },
      queue: { seconds: 0, nanos: 1_500_000 },
      inference: { seconds: 1, nanos: 2_000_000 },
      total: { seconds: 1, nanos: 4_500_000 },
      batchSize: 8,
      paddingRatio: 0.125,
    });
    assert.deepEqual(Timing.decode(Timing.encode(message).finish()), message);
  });
});

describe("modelMessage", () => {
  it("says what is known of a model", () => {
    const message = modelMessage(MODEL, "balanced");
    assert.deepEqual(message, {
      tier: Tier.TIER_BALANCED,
      name: "sentiment_balanced",
      version: "1+embedded.01234567",
      maxTokens: 128,
      labels: [Label.LABEL_NEGATIVE, Label.LABEL_NEUTRAL, Label.LABEL_POSITIVE],
      ready: true,
      defaultTier: true,
    });
    assert.deepEqual(Model.decode(Model.encode(message).finish()), message);
  });

  it("says whether it is loaded, and whether it is the default", () => {
    const { ready, defaultTier } = modelMessage({ ...MODEL, isReady: () => false }, "fast");
    assert.deepEqual([ready, defaultTier], [false, false]);
  });
});
