import assert from "node:assert/strict";
import { Status } from "nice-grpc-common";
import {
  CacheTier,
  Label,
  LongText,
  type Sentiment,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { sentences } from "../support/sentences.js";
import { detailsOf, failureOf } from "../support/status-details.js";

const EXAMPLES = [
  ["I love this product!", Label.LABEL_POSITIVE],
  ["Terrible quality, waste of money", Label.LABEL_NEGATIVE],
  ["The meeting is on Tuesday.", Label.LABEL_NEUTRAL],
] as const;

const seconds = (duration: { seconds: number; nanos: number } | undefined) =>
  (duration?.seconds ?? Number.NaN) + (duration?.nanos ?? Number.NaN) / 1e9;

describe("SentimentService over gRPC", function () {
  this.timeout(30_000);
  let running: RunningApp;
  before(async () => {
    running = await runApp();
  });
  after(() => running[Symbol.asyncDispose]());

  const analyze = async (
    text: string,
    tier: Tier = Tier.TIER_UNSPECIFIED,
    longText: LongText = LongText.LONG_TEXT_UNSPECIFIED,
  ): Promise<Sentiment> => {
    const options = { explain: false, sentences: false, skipCache: false, longText };
    const { sentiment } = await running.client.analyze({ text, tier, options });
    assert.ok(sentiment);
    return sentiment;
  };

  for (const tier of [Tier.TIER_FAST, Tier.TIER_BALANCED, Tier.TIER_ACCURATE]) {
    for (const [text, label] of EXAMPLES) {
      it(`tier ${tier} reads "${text}" rightly`, async () => {
        const sentiment = await analyze(text, tier);
        assert.equal(sentiment.label, label);
        assert.equal(sentiment.tier, tier);
      });
    }
  }

  it("fills every field of an answer", async () => {
    const request = { text: "I love it", tier: Tier.TIER_FAST, options: undefined };
    const { sentiment, timing } = await running.client.analyze(request);
    assert.ok(sentiment?.probabilities && timing);
    const { negative, neutral, positive } = sentiment.probabilities;
    assert.ok(Math.abs(negative + neutral + positive - 1) < 1e-6);
    assert.ok(Math.abs(sentiment.score - (positive - negative)) < 1e-6);
    assert.equal(sentiment.confidence, Math.max(negative, neutral, positive));
    assert.equal(sentiment.model, "sentiment_fast");
    assert.match(sentiment.modelVersion, /^1\+embedded\.[0-9a-f]{8}$/);
    assert.equal(sentiment.cache, CacheTier.CACHE_TIER_NONE);
    assert.equal(sentiment.tokenCount, 3);
    assert.equal(sentiment.analyzedTokenCount, 3);
    assert.equal(timing.batchSize, 1);
    assert.equal(timing.paddingRatio, 0);
    const parts = seconds(timing.tokenize) + seconds(timing.queue) + seconds(timing.inference);
    assert.ok(seconds(timing.inference) > 0 && parts <= seconds(timing.total) + 1e-6);
  });

  it("takes the default tier where none is named", async () => {
    assert.equal((await analyze("fine")).tier, Tier.TIER_BALANCED);
  });

  it("reads all of a long text in windows, and less of it when told to", async () => {
    const text = `${"The plot is told at length. ".repeat(60)}I hated every minute of this awful film.`;
    const whole = await analyze(text);
    assert.ok(whole.tokenCount > 400);
    assert.equal(whole.analyzedTokenCount, whole.tokenCount);
    const cut = await analyze(text, Tier.TIER_BALANCED, LongText.LONG_TEXT_TRUNCATE);
    assert.equal(cut.tokenCount, whole.tokenCount);
    assert.equal(cut.analyzedTokenCount, 126);
    assert.ok(whole.score < cut.score, "the last sentence was not read");
  });

  it("refuses a text over the model's tokens when told to", async () => {
    const options = {
      explain: false,
      sentences: false,
      skipCache: false,
      longText: LongText.LONG_TEXT_REJECT,
    };
    const request = { text: "word ".repeat(200), tier: Tier.TIER_FAST, options };
    const failure = await failureOf((call) => running.client.analyze(request, call));
    assert.equal(failure.code, Status.INVALID_ARGUMENT);
    assert.equal(failure.reason, "TEXT_TOO_LONG");
  });

  it("answers a batch as it answers single calls, and a bad text at its own place", async () => {
    const texts = sentences(100);
    texts[50] = "";
    const { results } = await running.client.analyzeBatch({
      texts,
      tier: Tier.TIER_BALANCED,
      options: undefined,
    });
    assert.deepEqual(
      results.map(({ index }) => index),
      texts.map((_, index) => index),
    );
    for (const { index, sentiment, error } of results) {
      if (index === 50) {
        assert.ok(error && sentiment === undefined);
        const { reason, domain, code, fields } = detailsOf(error);
        assert.deepEqual(
          { reason, domain, code, fields },
          {
            reason: "TEXT_EMPTY",
            domain: "sentiment.v1",
            code: Status.INVALID_ARGUMENT,
            fields: ["texts[50]"],
          },
        );
        continue;
      }
      const alone = await analyze(texts[index] ?? "", Tier.TIER_BALANCED);
      assert.equal(sentiment?.label, alone.label);
      assert.ok(Math.abs((sentiment?.score ?? Number.NaN) - alone.score) <= 0.01, texts[index]);
    }
  });

  it("answers a stream by id, errors included, and ends with it", async () => {
    async function* requests() {
      for (const [number, text] of [...sentences(300), " "].entries()) {
        yield { id: `n${number}`, text, tier: Tier.TIER_FAST, options: undefined };
      }
      yield { id: "x".repeat(129), text: "fine", tier: Tier.TIER_FAST, options: undefined };
    }
    const answers = new Map<string, string>();
    for await (const { id, sentiment, error } of running.client.analyzeStream(requests())) {
      answers.set(id, sentiment ? "answered" : (error && detailsOf(error).reason) || "nothing");
    }
    assert.equal(answers.size, 302);
    assert.equal(answers.get("n300"), "TEXT_EMPTY");
    assert.equal(answers.get("x".repeat(128)), "ID_TOO_LONG");
    assert.equal([...answers.values()].filter((outcome) => outcome === "answered").length, 300);
  });

  it("lists the models that it serves", async () => {
    const { models } = await running.client.listModels({});
    assert.deepEqual(
      models.map(({ tier, name }) => [tier, name]),
      [
        [Tier.TIER_FAST, "sentiment_fast"],
        [Tier.TIER_BALANCED, "sentiment_balanced"],
        [Tier.TIER_ACCURATE, "sentiment_accurate"],
      ],
    );
    assert.ok(models.every(({ ready, maxTokens }) => ready && maxTokens === 128));
    assert.deepEqual(
      models.map(({ defaultTier }) => defaultTier),
      [false, true, false],
    );
  });
});
