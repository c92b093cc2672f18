import assert from "node:assert/strict";
import { classify } from "../../../server/classify/classifier.js";
import type { TextRead } from "../../../server/classify/events.js";
import type { ServedModel } from "../../../server/classify/model.js";
import { type Question, read } from "../../../server/classify/reading.js";
import { piecesAt } from "../../../server/classify/spans.js";
import type { Call } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import type { Tier } from "../../../server/core/tiers.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { recorder, turn } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";
import { reasonOf, resultOf, serviceError } from "../outcomes.js";
import {
  answer,
  BEGIN,
  END,
  fakeModel,
  NEGATIVE,
  NEUTRAL,
  numbersOf,
  type Outcome,
  PLAIN,
  POSITIVE,
  type Rows,
  textIdsOf,
  tokenizerOf,
} from "./fake-model.js";

const refused = new Error("the model refused the row");
const failure: Outcome = { status: "rejected", reason: refused };

describe("classify", () => {
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  const modelThat = (
    answerRows: (rows: Rows) => Outcome[] | Promise<Outcome[]>,
    parts: Partial<ServedModel> = {},
  ) => fakeModel(clock, answerRows, parts);
  const run = (
    model: ServedModel,
    texts: readonly string[],
    question: Partial<Question> = {},
    call = someCall(),
  ) => classify(model, texts, { ...PLAIN, ...question }, call, clock);

  it("asks the model about no text whose verdict is found, nor about one that cannot be read", async () => {
    const logits = [NEGATIVE, POSITIVE];
    const [model, calls] = modelThat((rows) => rows.map((_, place) => answer(logits[place] ?? [])));
    const [known] = (await run(model, ["9"])).map(resultOf);
    const texts = ["1 2 3", "9", "1 2 3 4 5 6 7 8 9", "4"];
    const question = { ...PLAIN, longText: "reject" } as const;
    const find = () => [undefined, known];
    const outcomes = await classify(model, texts, question, someCall(), clock, find);
    assert.deepEqual(calls[1]?.[0], [
      [BEGIN, 1, 2, 3, END],
      [BEGIN, 4, END],
    ]);
    const labels = outcomes.map((one) => (one.status === "fulfilled" ? one.value.label : "none"));
    assert.deepEqual(labels, ["negative", "negative", "none", "positive"]);
    assert.equal(resultOf(outcomes[1] as (typeof outcomes)[0]), known);
  });

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

  it("passes the call on", async () => {
    const [model, calls] = modelThat(() => [answer(NEUTRAL)]);
    const call = someCall();
    await run(model, ["1"], PLAIN, call);
    assert.equal(calls[0]?.[1], call);
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
        answer(POSITIVE, { queueMs: 5, inferenceMs: 20, batchRows: 2, paddingRatio: 0.1 }),
        answer(NEGATIVE, { queueMs: 9, inferenceMs: 10, batchRows: 8, paddingRatio: 0.2 }),
        answer(NEUTRAL),
      ]);
      const [long, short] = (await run(model, ["1 2 3 4 5", "6"])).map(resultOf);
      assert.deepEqual(calls[0]?.[0], [
        [BEGIN, 1, 2, 3, END],
        [BEGIN, 4, 5, END],
        [BEGIN, 6, END],
      ]);
      const expected = [(0.8 * 2 + 0.1 * 3) / 5, 0.1, (0.8 * 3 + 0.1 * 2) / 5];
      for (const [place, probability] of expected.entries()) {
        assert.ok(Math.abs((long?.probabilities[place] ?? 0) - probability) < 1e-6);
      }
      assert.equal(long?.label, "positive");
      assert.deepEqual([long?.tokenCount, long?.analyzedTokenCount], [5, 5]);
      const tokenizeMs = clock.now() - 1;
      assert.equal(short?.timings.tokenizeMs, 1);
      assert.deepEqual(long?.timings, {
        tokenizeMs,
        queueMs: 9,
        inferenceMs: 20,
        batchRows: 8,
        paddingRatio: 0.2,
      });
      assert.equal(short?.label, "neutral");
    });

    it("is read in part where it is to be truncated, and says so", async () => {
      const [model, calls] = modelThat(() => [answer(NEUTRAL)]);
      const [verdict] = (await run(model, ["1 2 3 4 5"], { longText: "truncate" })).map(resultOf);
      assert.deepEqual(calls[0]?.[0], [[BEGIN, 1, 2, 3, 4, END]]);
      assert.deepEqual([verdict?.tokenCount, verdict?.analyzedTokenCount], [5, 4]);
    });

    it("is told of, as all that is read: how long, how much of it, and what is unknown", async () => {
      const [read, told] = recorder((_text: TextRead) => {});
      const answerRows = (rows: Rows) => rows.map(() => answer(NEUTRAL));
      const tokenizer = { ...tokenizerOf(numbersOf), unknownId: 7 };
      const [model] = modelThat(answerRows, { tokenizer, events: { ...NO_EVENTS, read } });
      await run(model, ["7 8", "7 7 3 4 7"], { longText: "truncate" });
      await run(model, ["1 2 3 4 7"]);
      await run(model, ["1 2 3 4 5"], { longText: "reject" });
      assert.deepEqual(told.flat(), [
        { tokenizeMs: 0, tokenCount: 2, analyzedTokenCount: 2, unknownTokens: 1 },
        { tokenizeMs: 0, tokenCount: 5, analyzedTokenCount: 4, unknownTokens: 2 },
        { tokenizeMs: 0, tokenCount: 5, analyzedTokenCount: 5, unknownTokens: 1 },
      ]);
    });

    const tooLong = serviceError(
      "TEXT_TOO_LONG",
      "The text has 5 tokens, the model reads 4: shorten it, or allow windows.",
    );

    it("is refused alone where it is to be rejected", async () => {
      const [model, calls] = modelThat(() => [answer(NEGATIVE), answer(POSITIVE)]);
      const [first, long, last] = await run(model, ["1", "1 2 3 4 5", "2"], { longText: "reject" });
      assert.equal(resultOf(first).label, "negative");
      tooLong(reasonOf(long));
      assert.equal(resultOf(last).label, "positive");
      assert.equal(calls[0]?.[0].length, 2);
    });

    it("is charged a little where it is read in vain, as others are whose caller leaves meanwhile", async () => {
      const [model] = modelThat(() => [answer(NEGATIVE)]);
      const [read, charged] = recorder((_tier: Tier, _tokens: number) => {});
      const long = "1 2 3 4 5";
      await run(model, ["1", long], { longText: "reject" }, someCall({ charge: { read } }));
      // Four characters a token, two special ones, and a sixteenth of that.
      assert.deepEqual(charged, [[model.tier, 5 / 16]]);
      const leaving = new AbortController();
      const slow = {
        ...model.tokenizer,
        encode: (text: string) => {
          clock.advance(20);
          leaving.abort(new Error("they left"));
          return model.tokenizer.encode(text);
        },
      };
      const left = { ...model, tokenizer: slow };
      const call = someCall({ signal: leaving.signal, charge: { read } });
      await assert.rejects(run(left, [long, "1", "2"], PLAIN, call), /they left/);
      assert.deepEqual(charged.slice(1), [[model.tier, 5 / 16]], "the others were not read");
    });

    it("does not reach the model where no other text does", async () => {
      const [model, calls] = modelThat(() => []);
      tooLong(reasonOf((await run(model, ["1 2 3 4 5"], { longText: "reject" }))[0]));
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

  /** Counts the rows that wait in the model's queue: each call is answered a turn later. */
  const crowded = () => {
    let waiting = 0;
    let most = 0;
    const answerRows = async (rows: Rows) => {
      waiting += rows.length;
      most = Math.max(most, waiting);
      await turn();
      waiting -= rows.length;
      return rows.map(() => answer(NEUTRAL));
    };
    return { answerRows, most: () => most };
  };

  it("has no more than 1024 rows of a call in the queue at once", async () => {
    const { answerRows, most } = crowded();
    const [model, calls] = modelThat(answerRows);
    const texts = Array.from({ length: 2500 }, (_, number) => String(number));
    const outcomes = await run(model, texts);
    assert.equal(outcomes.map(resultOf).length, 2500);
    assert.deepEqual(
      calls.map(([rows]) => rows.length),
      [1024, 1024, 452],
    );
    assert.deepEqual(
      calls.flatMap(([rows]) => rows.flatMap(textIdsOf)),
      texts.map(Number),
    );
    assert.equal(most(), 1024);
  });

  describe("with reading threads", () => {
    /** Those that take texts of over 9 characters. What they read has another token before its own. */
    const readers = (parts: Partial<NonNullable<ServedModel["readers"]>> = {}) => ({
      takes: (text: string) => text.length > 9,
      admit: () => {},
      read: async (
        { maxTokens }: Pick<ServedModel, "maxTokens">,
        text: string,
        question: Question,
      ) => {
        const reading = read(`99 ${text}`, tokenizerOf(numbersOf), maxTokens - 2, question);
        return { status: "fulfilled" as const, value: { ...reading, tokenizeMs: 7 } };
      },
      ...parts,
    });
    const rowsOf = (calls: readonly (readonly [Rows, Call])[]) =>
      calls.flatMap(([rows]) => rows.map(textIdsOf));
    const neutral = (rows: Rows) => rows.map(() => answer(NEUTRAL));

    it("has long texts read there, and tells of them and of the others, in the order of the texts", async () => {
      const [tell, told] = recorder(({ tokenizeMs, tokenCount }: TextRead) =>
        [tokenizeMs, tokenCount].join(),
      );
      const events = { ...NO_EVENTS, read: tell };
      const [model, calls] = modelThat(neutral, { readers: readers(), events });
      const verdicts = (await run(model, ["1", "2         3", "4"])).map(resultOf);
      assert.deepEqual(rowsOf(calls), [[1], [99, 2, 3], [4]]);
      assert.deepEqual(
        verdicts.map(({ timings, tokenCount }) => [timings.tokenizeMs, tokenCount]),
        [
          [1, 1],
          [7, 3],
          [1, 1],
        ],
      );
      assert.deepEqual(
        told.map(([{ tokenizeMs, tokenCount }]) => [tokenizeMs, tokenCount]),
        [
          [1, 1],
          [7, 3],
          [1, 1],
        ],
      );
    });

    it("reads what they give back itself", async () => {
      const read = async () => undefined;
      const [model, calls] = modelThat(neutral, { readers: readers({ read }) });
      resultOf((await run(model, ["1         2"]))[0]);
      assert.deepEqual(rowsOf(calls), [[1, 2]]);
    });

    it("fails the text alone that they refuse", async () => {
      const read = async () => ({ status: "rejected" as const, reason: refused });
      const [model, calls] = modelThat(neutral, { readers: readers({ read }) });
      const [broken, good] = await run(model, ["1         2", "3"]);
      assert.equal(reasonOf(broken), refused);
      assert.equal(resultOf(good).label, "neutral");
      assert.deepEqual(rowsOf(calls), [[3]]);
    });

    it("rejects the call that they do not let in, or whose caller leaves", async () => {
      const gone = new Error("the caller has left");
      const admit = () => {
        throw refused;
      };
      const [full] = modelThat(neutral, { readers: readers({ admit }) });
      await assert.rejects(run(full, ["1"]), refused);
      const read = async () => {
        throw gone;
      };
      const [left, calls] = modelThat(neutral, { readers: readers({ read }) });
      await assert.rejects(run(left, ["1         2"]), gone);
      assert.deepEqual(calls, []);
    });
  });

  describe("the sentences of a text", () => {
    const SENTENCES = { sentences: true };
    /** Positive from 50 on, negative under it, by the first number. */
    const byNumber = (rows: Rows) =>
      rows.map((row) => answer((textIdsOf(row)[0] ?? 0) < 50 ? NEGATIVE : POSITIVE));

    it("have each a verdict, at its place in code points", async () => {
      const [model, calls] = modelThat(byNumber);
      const [verdict] = (await run(model, ["😀 1 2. 😀 50!\n70"], SENTENCES)).map(resultOf);
      assert.deepEqual(calls[0]?.[0].map(textIdsOf), [[1, 2, 50, 70], [1, 2], [50], [70]]);
      assert.deepEqual(
        verdict?.sentences.map(({ begin, end, label }) => ({ begin, end, label })),
        [
          { begin: 0, end: 8, label: "negative" },
          { begin: 9, end: 12, label: "positive" },
          { begin: 13, end: 15, label: "positive" },
        ],
      );
      for (const { score, confidence, label } of verdict?.sentences ?? []) {
        assert.ok(Math.abs(confidence - 0.8) < 1e-6);
        assert.ok(Math.abs(score - (label === "negative" ? -0.7 : 0.7)) < 1e-6);
      }
      assert.equal(verdict?.label, "negative");
      assert.equal(verdict?.mixed, true);
    });

    it("do not count as tokens or time of the text", async () => {
      const [model] = modelThat((rows) =>
        rows.map((_, place) => answer(NEUTRAL, { queueMs: place, inferenceMs: 2 * place })),
      );
      const [verdict] = (await run(model, ["1. 2."], SENTENCES)).map(resultOf);
      assert.deepEqual([verdict?.tokenCount, verdict?.analyzedTokenCount], [2, 2]);
      assert.deepEqual([verdict?.timings.queueMs, verdict?.timings.inferenceMs], [0, 0]);
    });

    it("agree, and so the text is not mixed", async () => {
      const [model] = modelThat(byNumber);
      const [verdict] = (await run(model, ["1. 2."], SENTENCES)).map(resultOf);
      assert.equal(verdict?.sentences.length, 2);
      assert.equal(verdict?.mixed, false);
    });

    it("cost no further row where there is only one", async () => {
      const [model, calls] = modelThat(byNumber);
      const [verdict] = (await run(model, [" 1 2 3 4 5."], SENTENCES)).map(resultOf);
      assert.deepEqual(calls[0]?.[0].map(textIdsOf), [
        [1, 2, 3],
        [4, 5],
      ]);
      assert.equal(verdict?.sentences[0]?.score, verdict?.score);
      assert.deepEqual([verdict?.sentences[0]?.begin, verdict?.sentences[0]?.end], [1, 11]);
    });

    it("are merged from their windows where they are too long for the model", async () => {
      const [model] = modelThat(byNumber);
      const [verdict] = (await run(model, ["1. 50 51 52 2 3."], SENTENCES)).map(resultOf);
      // [50, 51, 52] and [2, 3].
      const expected = (0.7 * 3 - 0.7 * 2) / 5;
      assert.ok(Math.abs((verdict?.sentences[1]?.score ?? 0) - expected) < 1e-6);
    });

    it("are told of by their own windows where others have several", async () => {
      const [model] = modelThat(byNumber);
      const [verdict] = (await run(model, ["1 2 3 4 5. 50."], SENTENCES)).map(resultOf);
      assert.deepEqual(
        verdict?.sentences.map(({ label }) => label),
        ["negative", "positive"],
      );
    });

    it("are read in the rows of all texts, each with its own", async () => {
      const [model] = modelThat(byNumber);
      const verdicts = (await run(model, ["1. 50.", "60.", "70. 2."], SENTENCES)).map(resultOf);
      assert.deepEqual(
        verdicts.map(({ sentences }) => sentences.map(({ label }) => label)),
        [["negative", "positive"], ["positive"], ["positive", "negative"]],
      );
    });

    it("are left out where they are not asked for", async () => {
      const [model, calls] = modelThat(byNumber);
      const [verdict] = (await run(model, ["1. 50."])).map(resultOf);
      assert.deepEqual([verdict?.sentences, verdict?.mixed], [[], false]);
      assert.equal(calls[0]?.[0].length, 1);
    });

    it("fail the text where one of them fails, and no other", async () => {
      const [model] = modelThat((rows) =>
        rows.map((row) => (textIdsOf(row).join() === "2" ? failure : answer(NEUTRAL))),
      );
      const [broken, good] = await run(model, ["1. 2.", "3. 4."], SENTENCES);
      assert.equal(reasonOf(broken), refused);
      assert.equal(resultOf(good).sentences.length, 2);
    });
  });

  describe("the words of a text", () => {
    const EXPLAIN = { explain: true };
    /** Positive where 50 is in the row, negative where it is not. */
    const byFifty = (rows: Rows) =>
      rows.map((row) => answer(row.includes(50) ? POSITIVE : NEGATIVE));

    it("are weighed by rows without them, at their places in code points", async () => {
      const [model, calls] = modelThat(byFifty);
      const [verdict] = (await run(model, ["😀 1, 50!"], EXPLAIN)).map(resultOf);
      assert.deepEqual(
        calls.map(([rows]) => rows),
        [
          [[BEGIN, 1, 50, END]],
          [
            [BEGIN, 1, 50, END],
            [BEGIN, 50, END],
            [BEGIN, 1, END],
          ],
        ],
      );
      assert.deepEqual(
        verdict?.attributions.map(({ weight: _, ...rest }) => rest),
        [
          { begin: 0, end: 1 },
          { begin: 2, end: 3 },
          { begin: 5, end: 7 },
        ],
        "and no word, as caches keep them",
      );
      assert.deepEqual(piecesAt("😀 1, 50!", verdict?.attributions ?? []), ["😀", "1", "50"]);
      const weights = verdict?.attributions.map(({ weight }) => weight) ?? [];
      for (const [place, expected] of [0, 0, 1.4].entries()) {
        assert.ok(Math.abs((weights[place] ?? Number.NaN) - expected) < 1e-6, String(weights));
      }
    });

    it("change nothing else of the verdict", async () => {
      const [model] = modelThat(byFifty);
      const [plain] = (await run(model, ["1 50 2 3 4"])).map(resultOf);
      const [verdict] = (await run(model, ["1 50 2 3 4"], EXPLAIN)).map(resultOf);
      assert.equal(verdict?.attributions.length, 5);
      assert.deepEqual({ ...verdict, attributions: [] }, plain);
    });

    it("are divided by the model's temperature too", async () => {
      const doubled = (rows: Rows) =>
        rows.map((row) => answer((row.includes(50) ? POSITIVE : NEGATIVE).map((one) => one * 2)));
      const [model] = modelThat(doubled, { temperature: 2 });
      const [verdict] = (await run(model, ["50"], EXPLAIN)).map(resultOf);
      assert.ok(Math.abs((verdict?.attributions[0]?.weight ?? 0) - 1.4) < 1e-6);
    });

    it("are never weighed by a row over the model's tokens", async () => {
      // Without its 0 the text has more tokens than with it.
      const tokenizer = tokenizerOf((text) => (text.includes("0") ? [7, 0] : [7, 7, 7, 7, 7, 7]));
      const [model, calls] = modelThat((rows) => rows.map(() => answer(NEUTRAL)), { tokenizer });
      await run(model, ["7 0"], EXPLAIN);
      assert.deepEqual(calls[1]?.[0], [
        [BEGIN, 7, 0, END],
        [BEGIN, 7, 7, 7, 7, END],
      ]);
    });

    it("are left out where they are not asked for", async () => {
      const [model, calls] = modelThat(byFifty);
      const [verdict] = (await run(model, ["1 50"])).map(resultOf);
      assert.deepEqual(verdict?.attributions, []);
      assert.equal(calls.length, 1);
    });

    it("are none in a text of marks, and cost no row", async () => {
      const [model, calls] = modelThat(byFifty);
      const [verdict] = (await run(model, ["!!!"], EXPLAIN)).map(resultOf);
      assert.deepEqual(verdict?.attributions, []);
      assert.equal(calls.length, 1);
    });

    it("are each text's own", async () => {
      const [model] = modelThat(byFifty);
      const verdicts = (await run(model, ["1 50", "50 2"], EXPLAIN)).map(resultOf);
      assert.deepEqual(
        verdicts.map(({ attributions }) => attributions.map(({ weight }) => weight > 1)),
        [
          [false, true],
          [true, false],
        ],
      );
    });

    it("fail the text where a row without one fails, and no other", async () => {
      const [model] = modelThat((rows) =>
        rows.map((row) => (textIdsOf(row).join() === "2" ? failure : answer(NEUTRAL))),
      );
      const [broken, good] = await run(model, ["1 2", "3 4"], EXPLAIN);
      assert.equal(reasonOf(broken), refused);
      assert.equal(resultOf(good).attributions.length, 2);
    });

    it("are not asked for where the text has failed already", async () => {
      const [model, calls] = modelThat(() => [failure]);
      const [broken] = await run(model, ["1 2"], EXPLAIN);
      assert.equal(reasonOf(broken), refused);
      assert.equal(calls.length, 1);
    });

    it("are given up with the call where the caller leaves", async () => {
      const caller = new AbortController();
      const gone = new Error("the caller has left");
      const submit: ServedModel["submit"] = async (rows, { signal }) => {
        signal.throwIfAborted();
        caller.abort(gone);
        return rows.map(() => answer(NEUTRAL));
      };
      const [model] = modelThat(() => [], { submit });
      const { signal } = caller;
      await assert.rejects(run(model, ["1 2"], { explain: true }, someCall({ signal })), gone);
    });

    it("leave room in the queue for other calls, however many texts have them asked for", async () => {
      const { answerRows, most } = crowded();
      const [model] = modelThat(answerRows, { maxTokens: 128 });
      const text = Array.from({ length: 64 }, (_, number) => number).join(" ");
      const outcomes = await run(model, Array<string>(100).fill(text), EXPLAIN);
      assert.ok(outcomes.map(resultOf).every(({ attributions }) => attributions.length === 64));
      assert.ok(most() <= 1024, `${most()} rows at once`);
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
      const tokenizer = tokenizerOf((text) => {
        if (text === "?") throw cannot;
        return numbersOf(text);
      });
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
      const [model, calls] = modelThat(() => [], {
        isReady: () => false,
        ready: () => Promise.reject(down),
      });
      await assert.rejects(run(model, ["1"]), down);
      assert.equal(calls.length, 0);
      assert.equal(clock.now(), 0);
    });

    it("with a caller that does not wait for the model to load rejects the call", async () => {
      const caller = new AbortController();
      const gone = new Error("the caller has left");
      const [model, calls] = modelThat(() => [], {
        isReady: () => false,
        ready: () => new Promise(() => {}),
      });
      const call = run(model, ["1"], {}, someCall({ signal: caller.signal }));
      caller.abort(gone);
      await assert.rejects(call, gone);
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
