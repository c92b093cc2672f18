import assert from "node:assert/strict";
import type { RowAnswer } from "../../../server/batch/batcher.js";
import { classify, type ServedModel } from "../../../server/classify/classifier.js";
import type { LongText } from "../../../server/classify/long-text.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { recorder } from "../../support/recorder.js";
import { reasonOf, resultOf, serviceError } from "../outcomes.js";

type Rows = readonly (readonly number[])[];
type Outcome = PromiseSettledResult<RowAnswer>;

const [BEGIN, END] = [101, 102];
const MAX_TOKENS = 6;
const NEGATIVE = [Math.log(8), 0, 0];
const NEUTRAL = [0, Math.log(8), 0];
const POSITIVE = [0, 0, Math.log(8)];
const refused = new Error("the model refused the row");
const staying = new AbortController().signal;

const answer = (logits: readonly number[], timings: Partial<RowAnswer> = {}): Outcome => ({
  status: "fulfilled",
  value: {
    logits: Float32Array.from(logits),
    queueMs: 1,
    inferenceMs: 2,
    batchRows: 3,
    paddingRatio: 0.5,
    ...timings,
  },
});
const failure: Outcome = { status: "rejected", reason: refused };

describe("classify", () => {
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  /** A model whose tokens are the numbers of the text, and whose `submit` is recorded. */
  const modelThat = (answerRows: (rows: Rows) => Outcome[], parts: Partial<ServedModel> = {}) => {
    const [submit, calls] = recorder(async (rows: Rows, _signal: AbortSignal) => answerRows(rows));
    const encode = (text: string) => {
      clock.advance(text.length);
      return text.split(" ").filter(Boolean).map(Number);
    };
    const model: ServedModel = {
      tier: "fast",
      name: "sentiment_fast",
      version: "1+fake.01234567",
      maxTokens: MAX_TOKENS,
      temperature: 1,
      tokenizer: { encode, prefix: [BEGIN], suffix: [END], padId: 0, digest: "" },
      submit,
      ready: async () => {},
      isReady: () => true,
      ...parts,
    };
    return [model, calls] as const;
  };
  const run = (model: ServedModel, texts: readonly string[], longText: LongText = "windows") =>
    classify(model, texts, longText, staying, clock);

  it("gives one verdict a text, in the order of the texts", async () => {
    const logits = [NEGATIVE, NEUTRAL, POSITIVE];
    const [model, calls] = modelThat((rows) => rows.map((_, place) => answer(logits[place] ?? [])));
    const verdicts = (await run(model, ["1 2 3", "4", "5 6"])).map(resultOf);
    assert.deepEqual(
      calls.map(([rows]) => rows),
      [
        [
          [BEGIN, 1, 2, 3, END],
          [BEGIN, 4, END],
          [BEGIN, 5, 6, END],
        ],
      ],
    );
    assert.deepEqual(
      verdicts.map(({ label, tokenCount, analyzedTokenCount }) => ({
        label,
        tokenCount,
        analyzedTokenCount,
      })),
      [
        { label: "negative", tokenCount: 3, analyzedTokenCount: 3 },
        { label: "neutral", tokenCount: 1, analyzedTokenCount: 1 },
        { label: "positive", tokenCount: 2, analyzedTokenCount: 2 },
      ],
    );
  });

  it("says all that the model and the batcher said of a text", async () => {
    const [model] = modelThat(() => [answer(POSITIVE)]);
    const [verdict] = (await run(model, ["1 2 3"])).map(resultOf);
    assert.ok(verdict);
    assert.equal(verdict.label, "positive");
    assert.ok(Math.abs(verdict.confidence - 0.8) < 1e-6);
    assert.ok(Math.abs(verdict.score - 0.7) < 1e-6);
    assert.equal(verdict.probabilities[2], verdict.confidence);
    assert.equal(verdict.model, model);
    assert.deepEqual(verdict.timings, {
      tokenizeMs: 5,
      queueMs: 1,
      inferenceMs: 2,
      batchRows: 3,
      paddingRatio: 0.5,
    });
  });

  it("divides the logits by the model's temperature", async () => {
    const [model] = modelThat(() => [answer(POSITIVE.map((logit) => logit * 2))], {
      temperature: 2,
    });
    const [verdict] = (await run(model, ["1"])).map(resultOf);
    assert.ok(Math.abs((verdict?.confidence ?? 0) - 0.8) < 1e-6);
  });

  it("passes the caller's signal on", async () => {
    const [model, calls] = modelThat(() => [answer(NEUTRAL)]);
    const { signal } = new AbortController();
    await classify(model, ["1"], "windows", signal, clock);
    assert.equal(calls[0]?.[1], signal);
  });

  it("asks for nothing where there are no texts", async () => {
    const [model, calls] = modelThat(() => []);
    assert.deepEqual(await run(model, []), []);
    assert.equal(calls.length, 0);
  });

  it("reads a text without tokens by its special tokens", async () => {
    const [model, calls] = modelThat(() => [answer(NEUTRAL)]);
    const [verdict] = (await run(model, [""])).map(resultOf);
    assert.deepEqual(calls[0]?.[0], [[BEGIN, END]]);
    assert.equal(verdict?.label, "neutral");
    assert.ok(Math.abs((verdict?.confidence ?? 0) - 0.8) < 1e-6);
    assert.deepEqual([verdict?.tokenCount, verdict?.analyzedTokenCount], [0, 0]);
  });

  describe("a text over the model's tokens", () => {
    // The model reads 6 tokens at once, 2 of them special: 4 of a text.
    it("is merged from its windows, each counted by its tokens", async () => {
      const [model, calls] = modelThat(() => [
        answer(NEGATIVE, { queueMs: 5, inferenceMs: 20, batchRows: 2, paddingRatio: 0.1 }),
        answer(POSITIVE, { queueMs: 9, inferenceMs: 10, batchRows: 8, paddingRatio: 0.2 }),
        answer(NEUTRAL),
      ]);
      const [long, short] = (await run(model, ["1 2 3 4 5", "6"])).map(resultOf);
      assert.deepEqual(calls[0]?.[0], [
        [BEGIN, 1, 2, END],
        [BEGIN, 3, 4, 5, END],
        [BEGIN, 6, END],
      ]);
      const expected = [(0.8 * 2 + 0.1 * 3) / 5, 0.1, (0.1 * 2 + 0.8 * 3) / 5];
      for (const [place, probability] of expected.entries()) {
        assert.ok(Math.abs((long?.probabilities[place] ?? 0) - probability) < 1e-6);
      }
      assert.equal(long?.label, "positive");
      assert.deepEqual([long?.tokenCount, long?.analyzedTokenCount], [5, 5]);
      assert.deepEqual(long?.timings, {
        tokenizeMs: 9,
        queueMs: 9,
        inferenceMs: 20,
        batchRows: 8,
        paddingRatio: 0.2,
      });
      assert.equal(short?.label, "neutral");
    });

    it("is read in part where it is to be truncated, and says so", async () => {
      const [model, calls] = modelThat(() => [answer(NEUTRAL)]);
      const [verdict] = (await run(model, ["1 2 3 4 5"], "truncate")).map(resultOf);
      assert.deepEqual(calls[0]?.[0], [[BEGIN, 1, 2, 3, 4, END]]);
      assert.deepEqual([verdict?.tokenCount, verdict?.analyzedTokenCount], [5, 4]);
    });

    const tooLong = serviceError(
      "TEXT_TOO_LONG",
      "The text has 5 tokens, the model reads 4: shorten it, or allow windows.",
    );

    it("is refused alone where it is to be rejected", async () => {
      const [model, calls] = modelThat(() => [answer(NEGATIVE), answer(POSITIVE)]);
      const [first, long, last] = await run(model, ["1", "1 2 3 4 5", "2"], "reject");
      assert.equal(resultOf(first).label, "negative");
      tooLong(reasonOf(long));
      assert.equal(resultOf(last).label, "positive");
      assert.equal(calls[0]?.[0].length, 2);
    });

    it("does not reach the model where no other text does", async () => {
      const [model, calls] = modelThat(() => []);
      tooLong(reasonOf((await run(model, ["1 2 3 4 5"], "reject"))[0]));
      assert.equal(calls.length, 0);
    });

    it("fails as a whole when one of its windows fails, and its neighbours do not", async () => {
      const [model] = modelThat(() => [
        answer(NEGATIVE),
        answer(NEUTRAL),
        failure,
        answer(POSITIVE),
      ]);
      const [before, long, after] = await run(model, ["1", "1 2 3 4 5", "2"]);
      assert.equal(resultOf(before).label, "negative");
      assert.equal(reasonOf(long), refused);
      assert.equal(resultOf(after).label, "positive");
    });
  });

  describe("what goes wrong", () => {
    it("with one row fails its text alone", async () => {
      const [model] = modelThat(() => [answer(NEGATIVE), failure, answer(POSITIVE)]);
      const outcomes = await run(model, ["1", "2", "3"]);
      assert.equal(reasonOf(outcomes[1]), refused);
      assert.equal(resultOf(outcomes[0]).label, "negative");
      assert.equal(resultOf(outcomes[2]).label, "positive");
    });

    it("with one row's logits fails its text alone", async () => {
      const [model] = modelThat(() => [answer([Number.NaN, 0, 0]), answer(POSITIVE)]);
      const [broken, good] = await run(model, ["1", "2"]);
      assert.match(String(reasonOf(broken)), /not three finite numbers$/);
      assert.equal(resultOf(good).label, "positive");
    });

    it("with one text in the tokenizer fails that text alone", async () => {
      const cannot = new Error("cannot read it");
      const encode = (text: string) => {
        if (text === "?") throw cannot;
        return [Number(text)];
      };
      const tokenizer = { encode, prefix: [BEGIN], suffix: [END], padId: 0, digest: "" };
      const [model, calls] = modelThat(() => [answer(POSITIVE)], { tokenizer });
      const [broken, good] = await run(model, ["?", "2"]);
      assert.equal(reasonOf(broken), cannot);
      assert.equal(resultOf(good).label, "positive");
      assert.deepEqual(calls[0]?.[0], [[BEGIN, 2, END]]);
    });

    it("with the number of answers fails the texts that have none", async () => {
      const [model] = modelThat(() => [answer(POSITIVE)]);
      const [good, without] = await run(model, ["1", "2"]);
      assert.equal(resultOf(good).label, "positive");
      assert.equal(String(reasonOf(without)), "Error: a window of the text has no answer");
    });

    it("with the loading of the model rejects the call before any text is read", async () => {
      const down = new ServiceError("BACKEND_DOWN", "The inference worker died.");
      const [model, calls] = modelThat(() => [], { ready: () => Promise.reject(down) });
      await assert.rejects(run(model, ["1"]), down);
      assert.equal(calls.length, 0);
      assert.equal(clock.now(), 0);
    });

    it("with the queue rejects the call", async () => {
      const full = new ServiceError("OVERLOADED", "The queue is full.");
      const [model] = modelThat(() => [], { submit: () => Promise.reject(full) });
      await assert.rejects(run(model, ["1", "2"]), full);
    });
  });
});
