import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type AnalyzeOptions,
  Label,
  LongText,
  type Sentiment,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { sentences } from "../support/sentences.js";
import { failureOf } from "../support/status-details.js";

const NONE: AnalyzeOptions = {
  explain: false,
  sentences: false,
  skipCache: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

/** About 3,000 words without an opinion. */
const NEUTRAL_TEXT = Array.from(
  { length: 200 },
  (_, number) =>
    `Part ${number} of the report describes where the road leads and how many people live beside it.`,
).join(" ");
const GOOD = "I love this book, it is wonderful, brilliant and a pleasure from start to finish.";
const BAD = "I hate this book, it is terrible, boring and a waste of money from start to finish.";

/** The part of the text between two code points. */
const cut = (text: string, { begin, end }: { begin: number; end: number }) =>
  [...text].slice(begin, end).join("");

describe("close reading", function () {
  this.timeout(60_000);
  let running: RunningApp;
  before(async () => {
    running = await runApp({ MAX_INPUT_LENGTH: "30000" });
  });
  after(() => running[Symbol.asyncDispose]());

  const analyze = async (
    text: string,
    options: Partial<AnalyzeOptions> = {},
    tier: Tier = Tier.TIER_FAST,
  ): Promise<Sentiment> => {
    const { sentiment } = await running.client.analyze({
      text,
      tier,
      options: { ...NONE, ...options },
    });
    assert.ok(sentiment);
    return sentiment;
  };

  for (const tier of [Tier.TIER_FAST, Tier.TIER_BALANCED, Tier.TIER_ACCURATE]) {
    it(`tier ${tier} reads all of a review of 3,000 words, its last paragraph too`, async () => {
      const good = await analyze(`${NEUTRAL_TEXT}\n\n${`${GOOD} `.repeat(30)}`, {}, tier);
      const bad = await analyze(`${NEUTRAL_TEXT}\n\n${`${BAD} `.repeat(30)}`, {}, tier);
      for (const { tokenCount, analyzedTokenCount } of [good, bad]) {
        assert.ok(tokenCount > 3000);
        assert.equal(analyzedTokenCount, tokenCount);
      }
      assert.ok(good.score - bad.score > 0.1, `${good.score} against ${bad.score}`);
    });
  }

  it("gives each sentence its own verdict, at the right place after emoji and CJK", async () => {
    const text = `😍👩‍👩‍👧 我喜欢这本书。 ${GOOD} The shop opens at nine on Monday. ${BAD}`;
    const { sentences: found, mixed } = await analyze(text, { sentences: true });
    const parts = found.map((sentence) => cut(text, sentence));
    assert.deepEqual(parts.slice(-3), [GOOD, "The shop opens at nine on Monday.", BAD]);
    assert.equal(parts.join(" "), text);
    assert.deepEqual(
      found.slice(-3).map(({ label }) => label),
      [Label.LABEL_POSITIVE, Label.LABEL_NEUTRAL, Label.LABEL_NEGATIVE],
    );
    for (const sentence of found.slice(-3)) {
      const alone = await analyze(cut(text, sentence));
      assert.ok(Math.abs(alone.score - sentence.score) < 1e-6);
      assert.ok(Math.abs(alone.confidence - sentence.confidence) < 1e-6);
    }
    assert.equal(mixed, true);
  });

  it("calls a text mixed only where strong sentences disagree, and only when asked for sentences", async () => {
    assert.equal((await analyze(`${GOOD} ${GOOD}`, { sentences: true })).mixed, false);
    assert.equal((await analyze(`${GOOD} ${BAD}`, { sentences: true })).mixed, true);
    const plain = await analyze(`${GOOD} ${BAD}`);
    assert.equal(plain.mixed, false);
    assert.deepEqual(plain.sentences, []);
    assert.deepEqual(plain.attributions, []);
  });

  it("reads the sentences of a long text in the windows that they fit", async () => {
    const { sentences: found } = await analyze(`${NEUTRAL_TEXT} ${BAD}`, { sentences: true });
    assert.equal(found.length, 201);
    assert.equal(found.at(-1)?.label, Label.LABEL_NEGATIVE);
  });

  it("says what each word adds: the score without it is less by its weight", async () => {
    const text = "🎉 中文 The food was wonderful but the waiter was rude 😡";
    const { attributions, score } = await analyze(text, { explain: true });
    assert.deepEqual(
      attributions.map(({ token }) => token),
      attributions.map((word) => cut(text, word)),
    );
    for (const word of ["wonderful", "rude", "😡"])
      assert.ok(attributions.some(({ token }) => token === word));
    for (const word of attributions) {
      const points = [...text];
      points.splice(word.begin, word.end - word.begin);
      const { score: without } = await analyze(points.join(""));
      assert.ok(Math.abs(score - without - word.weight) < 1e-5, word.token);
    }
    const weightOf = (word: string) =>
      attributions.find(({ token }) => token === word)?.weight ?? Number.NaN;
    assert.ok(weightOf("wonderful") > 0 && weightOf("rude") < 0);
  });

  it("finds the words that matter in a long text with few rows", async () => {
    const text = `${NEUTRAL_TEXT.slice(0, 2000)} What a terrible disappointment. ${NEUTRAL_TEXT.slice(2000, 4000)}`;
    const { attributions } = await analyze(text, { explain: true }, Tier.TIER_ACCURATE);
    assert.equal(attributions.map(({ token }) => token).join(""), text.replace(/[\s.]/g, ""));
    const lowest = attributions.reduce((one, other) => (other.weight < one.weight ? other : one));
    assert.match(lowest.token, /terrible|disappointment/);
  });

  it("explains better than chance: without the top word the score changes more than without any word", async () => {
    const file = await readFile("training/slices/negation.tsv", "utf8");
    const texts = file
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t")[1] ?? "")
      .filter((text) => text.split(" ").length >= 6)
      .slice(0, 100);
    assert.equal(texts.length, 100);
    let better = 0;
    for (const [place, text] of texts.entries()) {
      const { attributions, score } = await analyze(text, { explain: true });
      const [top, ...others] = attributions.toSorted(
        (one, other) => Math.abs(other.weight) - Math.abs(one.weight),
      );
      // In turn every place of a sentence, so that none is favoured.
      const any = others[(7 * place) % others.length];
      const changeWithout = async (word = { begin: 0, end: 0 }) => {
        const points = [...text];
        points.splice(word.begin, word.end - word.begin);
        return Math.abs(score - (await analyze(points.join(""))).score);
      };
      if ((await changeWithout(top)) > (await changeWithout(any))) better++;
    }
    assert.ok(better >= 85, `${better} of 100`);
  });

  it("answers a batch with all of it, each text with its own", async () => {
    const texts = sentences(20);
    texts[7] = "";
    const { results } = await running.client.analyzeBatch({
      texts,
      tier: Tier.TIER_FAST,
      options: { ...NONE, explain: true, sentences: true },
    });
    for (const { index, sentiment } of results) {
      assert.equal(sentiment === undefined, index === 7);
      const alone = index === 7 ? undefined : await analyze(texts[index] ?? "", { explain: true });
      assert.deepEqual(
        sentiment?.attributions.map(({ token, begin }) => [token, begin]),
        alone?.attributions.map(({ token, begin }) => [token, begin]),
      );
    }
  });
});

describe("the cascade", function () {
  this.timeout(30_000);
  let running: RunningApp;
  before(async () => {
    running = await runApp();
  });
  after(() => running[Symbol.asyncDispose]());

  const ask = async (texts: readonly string[], tier: Tier) => {
    const { results } = await running.client.analyzeBatch({
      texts: [...texts],
      tier,
      options: undefined,
    });
    return results.map(({ sentiment }) => sentiment);
  };

  it("lets the accurate tier answer where the fast one is not sure, and says which answered", async () => {
    const texts = [
      ...sentences(40),
      "well, it is what it is",
      "not that I minded it, but I would not see it again either",
      "an oddly compelling mess",
    ];
    const auto = await ask(texts, Tier.TIER_AUTO);
    const fast = await ask(texts, Tier.TIER_FAST);
    const accurate = await ask(texts, Tier.TIER_ACCURATE);
    const tiers = new Set(auto.map((answer) => answer?.tier));
    assert.deepEqual(tiers, new Set([Tier.TIER_FAST, Tier.TIER_ACCURATE]));
    const sure = fast.filter((_, place) => auto[place]?.tier === Tier.TIER_FAST);
    const unsure = fast.filter((_, place) => auto[place]?.tier === Tier.TIER_ACCURATE);
    const confidence = (answer: Sentiment | undefined) => answer?.confidence ?? Number.NaN;
    assert.ok(Math.min(...sure.map(confidence)) >= Math.max(...unsure.map(confidence)));
    for (const [place, answer] of auto.entries()) {
      const same = answer?.tier === Tier.TIER_FAST ? fast[place] : accurate[place];
      assert.equal(answer?.model, same?.model);
      assert.equal(answer?.label, same?.label);
      assert.ok(Math.abs((answer?.score ?? Number.NaN) - (same?.score ?? Number.NaN)) < 1e-6);
    }
  });

  it("is TIER_UNKNOWN where a model for it is not served, and so is a tier without a model", async () => {
    const repository = await mkdtemp(join(tmpdir(), "sentiment-models-"));
    await symlink(resolve("triton-model-repo/sentiment_fast"), join(repository, "sentiment_fast"));
    const env = { MODEL_REPOSITORY: repository, DEFAULT_TIER: "fast" };
    {
      await using without = await runApp(env);
      const request = { text: "fine", tier: Tier.TIER_AUTO, options: undefined };
      const failure = await failureOf((call) => without.client.analyze(request, call));
      assert.equal(failure.reason, "TIER_UNKNOWN");
      assert.match(failure.message, /needs fast, with a cascade_threshold, and accurate/);
      const balanced = { ...request, tier: Tier.TIER_BALANCED };
      const missing = await failureOf((call) => without.client.analyze(balanced, call));
      assert.equal(missing.reason, "TIER_UNKNOWN");
      assert.match(missing.message, /tier balanced is not served here: use fast\./);
    }
    await rm(repository, { recursive: true });
  });
});
