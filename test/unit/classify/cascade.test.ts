import assert from "node:assert/strict";
import { answerAnew } from "../../../server/classify/answering.js";
import { type Cascade, cascade } from "../../../server/classify/cascade.js";
import type { ServedModel } from "../../../server/classify/model.js";
import type { Question } from "../../../server/classify/reading.js";
import { piecesAt } from "../../../server/classify/spans.js";
import { type Call, unasked } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { recorder } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";
import { reasonOf, resultOf } from "../outcomes.js";
import {
  answer,
  fakeModel,
  NEGATIVE,
  type Outcome,
  PLAIN,
  POSITIVE,
  type Rows,
  textIdsOf,
} from "./fake-model.js";

const refused: Outcome = { status: "rejected", reason: new Error("the model refused the row") };
const UNSURE = [0, 0, 0];
/** Both are sure of what they answer by 0.8, and unsure by 1/3. */
const THRESHOLD = 0.5;

type Answers = Readonly<Record<number, Outcome>>;

describe("cascade", () => {
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  /** A model that answers a row by its first number, and the texts that it was given, call by call. */
  const modelOf = (tier: ServedModel["tier"], answers: Answers, other: Outcome) => {
    const answerRows = (rows: Rows) => rows.map((row) => answers[textIdsOf(row)[0] ?? 0] ?? other);
    const [model, calls] = fakeModel(clock, answerRows, { tier, name: `sentiment_${tier}` });
    return { model, asked: () => calls.map(([rows]) => rows.map(textIdsOf)) };
  };
  const cascadeOf = (fast: Answers, accurate: Answers = {}) => {
    const quick = modelOf("fast", fast, answer(NEGATIVE));
    const slow = modelOf("accurate", accurate, answer(POSITIVE));
    const parts: Cascade = {
      fast: quick.model,
      accurate: slow.model,
      threshold: THRESHOLD,
      events: NO_EVENTS,
    };
    return { parts, fastAsked: quick.asked, accurateAsked: slow.asked };
  };
  const run = (
    { parts }: ReturnType<typeof cascadeOf>,
    texts: readonly string[],
    question: Partial<Question> = {},
    call = someCall(),
  ) => cascade(parts, texts, { ...PLAIN, ...question }, call, answerAnew(clock));

  const tiersOf = (outcomes: readonly PromiseSettledResult<{ model: ServedModel }>[]) =>
    outcomes.map((outcome) => resultOf(outcome).model.tier);

  it("tells which model decides a text, where it is asked for", async () => {
    const [decided, told] = recorder((_outcome: string, _texts: number) => {});
    const models = cascadeOf({ 1: answer(UNSURE), 2: answer(UNSURE), 4: refused });
    const telling = { ...models, parts: { ...models.parts, events: { decided } } };
    const texts = ["1", "2", "3", "4"];
    await run(telling, texts);
    await run(telling, texts, {}, unasked(someCall().signal));
    assert.deepEqual(told, [
      ["fast", 1],
      ["accurate", 2],
    ]);
  });

  it("asks the fast model alone where it is sure", async () => {
    const models = cascadeOf({});
    const outcomes = await run(models, ["1", "2"]);
    assert.deepEqual(tiersOf(outcomes), ["fast", "fast"]);
    assert.deepEqual(models.fastAsked(), [[[1], [2]]]);
    assert.deepEqual(models.accurateAsked(), []);
  });

  it("passes on what the fast model is unsure of, each once, and keeps the order", async () => {
    const models = cascadeOf({ 2: answer(UNSURE), 4: answer(UNSURE) });
    const outcomes = await run(models, ["1", "2 9", "3", "4", "5"]);
    assert.deepEqual(models.fastAsked(), [[[1], [2, 9], [3], [4], [5]]]);
    assert.deepEqual(models.accurateAsked(), [[[2, 9], [4]]]);
    assert.deepEqual(tiersOf(outcomes), ["fast", "accurate", "fast", "accurate", "fast"]);
    assert.deepEqual(
      outcomes.map((outcome) => [resultOf(outcome).label, resultOf(outcome).tokenCount]),
      [
        ["negative", 1],
        ["positive", 2],
        ["negative", 1],
        ["positive", 1],
        ["negative", 1],
      ],
    );
  });

  it("takes the accurate model's word, though it is unsure too", async () => {
    const models = cascadeOf({ 1: answer(UNSURE) }, { 1: answer(UNSURE) });
    const [verdict] = (await run(models, ["1"])).map(resultOf);
    assert.equal(verdict?.model.tier, "accurate");
    assert.ok((verdict?.confidence ?? 1) < THRESHOLD);
  });

  for (const sentences of [false, true]) {
    it(`counts a text at the threshold as sure (${sentences ? "with" : "without"} sentences)`, async () => {
      const models = cascadeOf({ 1: answer(UNSURE) });
      // Three equal logits: exactly a third.
      const parts = { ...models.parts, threshold: 1 / 3 };
      const [verdict] = (await run({ ...models, parts }, ["1"], { sentences })).map(resultOf);
      assert.equal(verdict?.model.tier, "fast");
      assert.equal(verdict?.sentences.length, sentences ? 1 : 0);
    });
  }

  it("does not wait for the accurate model where no text goes on to it", async () => {
    const models = cascadeOf({});
    const accurate = { ...models.parts.accurate, ready: () => assert.fail("it was loaded") };
    const outcomes = await run({ ...models, parts: { ...models.parts, accurate } }, ["1"]);
    assert.deepEqual(tiersOf(outcomes), ["fast"]);
  });

  it("asks neither model where there are no texts", async () => {
    const models = cascadeOf({});
    assert.deepEqual(await run(models, []), []);
    assert.deepEqual([...models.fastAsked(), ...models.accurateAsked()], []);
  });

  it("tells the time that both models took, and the batch of the second", async () => {
    const models = cascadeOf(
      {
        100: answer(UNSURE, { queueMs: 1, inferenceMs: 2, batchRows: 3, paddingRatio: 0.25 }),
        2: answer(NEGATIVE, { queueMs: 5, inferenceMs: 6, batchRows: 7, paddingRatio: 0.125 }),
      },
      { 100: answer(POSITIVE, { queueMs: 10, inferenceMs: 20, batchRows: 30, paddingRatio: 0.5 }) },
    );
    const outcomes = await run(models, ["100", "2"]);
    assert.deepEqual(
      outcomes.map((outcome) => resultOf(outcome).timings),
      [
        { tokenizeMs: 6, queueMs: 11, inferenceMs: 22, batchRows: 30, paddingRatio: 0.5 },
        { tokenizeMs: 1, queueMs: 5, inferenceMs: 6, batchRows: 7, paddingRatio: 0.125 },
      ],
    );
  });

  it("leaves the fast model's failure with its text, which does not go on", async () => {
    const models = cascadeOf({ 1: refused, 2: answer(UNSURE) });
    const [broken, unsure, sure] = await run(models, ["1", "2", "3"]);
    assert.equal(reasonOf(broken), reasonOf(refused));
    assert.equal(resultOf(unsure).model.tier, "accurate");
    assert.equal(resultOf(sure).model.tier, "fast");
    assert.deepEqual(models.accurateAsked(), [[[2]]]);
  });

  it("leaves the accurate model's failure with its text", async () => {
    const models = cascadeOf({ 1: answer(UNSURE), 2: answer(UNSURE) }, { 1: refused });
    const [broken, unsure, sure] = await run(models, ["1", "2", "3"]);
    assert.equal(reasonOf(broken), reasonOf(refused));
    assert.equal(resultOf(unsure).model.tier, "accurate");
    assert.equal(resultOf(sure).model.tier, "fast");
  });

  it("refuses a text that is too long for the fast model alone, and does not pass it on", async () => {
    const models = cascadeOf({ 2: answer(UNSURE) });
    const [long, unsure] = await run(models, ["1 2 3 4 5", "2"], { longText: "reject" });
    assert.ok(reasonOf(long) instanceof ServiceError);
    assert.equal(resultOf(unsure).model.tier, "accurate");
    assert.deepEqual(models.accurateAsked(), [[[2]]]);
  });

  const down = new ServiceError("BACKEND_DOWN", "The inference worker died.");

  const isDown = { isReady: () => false, ready: () => Promise.reject(down) };

  it("rejects the call where the fast model is down", async () => {
    const models = cascadeOf({ 1: answer(UNSURE) });
    const fast = { ...models.parts.fast, ...isDown };
    await assert.rejects(run({ ...models, parts: { ...models.parts, fast } }, ["1", "2"]), down);
  });

  it("fails only the texts that would go on where the accurate model is down", async () => {
    const models = cascadeOf({ 1: answer(UNSURE) });
    const accurate = { ...models.parts.accurate, ...isDown };
    const some = { ...models, parts: { ...models.parts, accurate } };
    const [unsure, sure] = await run(some, ["1", "2"]);
    assert.equal(reasonOf(unsure), down);
    assert.equal(resultOf(sure).model.tier, "fast");
  });

  it("passes the call on to both models", async () => {
    const calls: Call[] = [];
    const heard = (model: ServedModel): ServedModel => ({
      ...model,
      submit: (rows, call) => {
        calls.push(call);
        return model.submit(rows, call);
      },
    });
    const { parts } = cascadeOf({ 1: answer(UNSURE) });
    const call = someCall();
    const listening = { ...parts, fast: heard(parts.fast), accurate: heard(parts.accurate) };
    await cascade(listening, ["1"], PLAIN, call, answerAnew(clock));
    assert.equal(calls.length, 2);
    for (const one of calls) assert.equal(one, call);
  });

  describe("asks only the model that answers", () => {
    const texts = ["1. 5.", "2. 6."] as const;

    it("about sentences", async () => {
      const models = cascadeOf({ 2: answer(UNSURE) });
      const [sure, unsure] = (await run(models, texts, { sentences: true })).map(resultOf);
      assert.deepEqual(models.fastAsked(), [
        [
          [1, 5],
          [2, 6],
        ],
        [[1, 5], [1], [5]],
      ]);
      assert.deepEqual(models.accurateAsked(), [[[2, 6], [2], [6]]]);
      assert.deepEqual(
        sure?.sentences.map(({ label }) => label),
        ["negative", "negative"],
      );
      assert.deepEqual(
        unsure?.sentences.map(({ label }) => label),
        ["positive", "positive"],
      );
    });

    it("about words", async () => {
      const models = cascadeOf({ 2: answer(UNSURE) });
      const [sure, unsure] = (await run(models, texts, { explain: true })).map(resultOf);
      assert.deepEqual(models.fastAsked(), [
        [
          [1, 5],
          [2, 6],
        ],
        [[1, 5]],
        [[5], [1]],
      ]);
      assert.deepEqual(models.accurateAsked(), [[[2, 6]], [[6], [2]]]);
      assert.deepEqual(
        [sure, unsure].map((verdict, place) =>
          piecesAt(texts[place] ?? "", verdict?.attributions ?? []),
        ),
        [
          ["1", "5"],
          ["2", "6"],
        ],
      );
    });

    it("and adds both readings of the fast one up", async () => {
      const models = cascadeOf({});
      const [verdict] = (await run(models, ["1"], { sentences: true })).map(resultOf);
      assert.deepEqual(verdict?.timings, {
        tokenizeMs: 2,
        queueMs: 2,
        inferenceMs: 4,
        batchRows: 3,
        paddingRatio: 0.5,
      });
    });
  });
});
