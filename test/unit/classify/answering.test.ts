import assert from "node:assert/strict";
import type { Cache } from "../../../server/cache/cache.js";
import { memoryCache } from "../../../server/cache/memory.js";
import { answerAnew, answerFromCaches } from "../../../server/classify/answering.js";
import type { CachedAnswer } from "../../../server/classify/cached-answer.js";
import { type Call, withSignal } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { recorder } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";
import { serviceError } from "../outcomes.js";
import { answer, fakeModel, numbersOf, PLAIN, POSITIVE, tokenizerOf } from "./fake-model.js";

const caller = someCall();
const refused = serviceError("OVERLOADED", "Too much: try again later.");

/** A model that lets nobody in while `isFull`, with what it was asked about and what was read for it. */
function busyModel(clock: FakeClock) {
  const state = { isFull: true };
  const [admit, asked] = recorder((_texts: number, _tokens: number) => {
    if (state.isFull) throw new ServiceError("OVERLOADED", "Too much: try again later.");
  });
  const [encode, read] = recorder(numbersOf);
  const [model] = fakeModel(clock, (rows) => rows.map(() => answer(POSITIVE)), {
    admit: (texts, tokens) => admit(texts, tokens),
    tokenizer: tokenizerOf(encode),
  });
  return { model, state, asked, read };
}

describe("a model that is too busy", () => {
  const clock = new FakeClock();
  const caches = (shared?: Cache<CachedAnswer>) => {
    const bounds = { maxEntries: 100, maxBytes: 100_000, ttlMs: 60_000, sizeOf: () => 100 };
    const options = { ...bounds, random: () => 0.5 };
    return {
      byText: memoryCache<CachedAnswer>(options, clock),
      byReading: memoryCache<CachedAnswer>(options, clock),
      shared,
      aggressive: false,
      report: () => {},
    };
  };

  it("is told for which call it reads, and which call each step is of, but not when that one leaves", async () => {
    const { model } = busyModel(clock);
    const seen: Call[] = [];
    const note = (_: unknown, __: unknown, call: Call) => void seen.push(call);
    const submit: typeof model.submit = (rows, call) => {
      seen.push(call);
      return model.submit(rows, call);
    };
    const report = (_: unknown, __: unknown, ___: unknown, call: Call) => void seen.push(call);
    const call = someCall({ deadlineMs: 1e6, origin: { holder: "team" }, charge: { read() {} } });
    const answers = answerFromCaches({ ...caches(), report }, clock, 1000);
    await answers({ ...model, admit: note, submit }, ["1"], PLAIN, call);
    const [admitted, missed, submitted] = seen;
    assert.equal(admitted, call);
    assert.equal(submitted, missed);
    assert.notEqual(submitted?.signal, call.signal);
    assert.deepEqual(
      submitted && withSignal(submitted, call.signal),
      withSignal(call, call.signal),
    );
    assert.equal(submitted?.origin, call.origin);
  });

  it("refuses texts before they are read, by what they may have for tokens", async () => {
    const { model, asked, read } = busyModel(clock);
    const texts = ["1 2 3 4", "5".repeat(400)];
    await assert.rejects(answerAnew(clock)(model, texts, PLAIN, caller), refused);
    assert.deepEqual(asked, [[2, 2 + 2 + 100 + 2]]);
    assert.deepEqual(read, []);
  });

  it("is asked about no more than it reads of a text, and than a call has in the queue at once", async () => {
    const { model, asked } = busyModel(clock);
    const long = ["1".repeat(400)];
    const truncated = { ...PLAIN, longText: "truncate" } as const;
    await assert.rejects(answerAnew(clock)(model, long, truncated, caller), refused);
    const many = Array<string>(100).fill("1".repeat(10_000));
    await assert.rejects(answerAnew(clock)(model, many, PLAIN, caller), refused);
    assert.deepEqual(asked, [
      [1, model.maxTokens],
      [100, 16_384],
    ]);
  });

  it("is not asked for what a cache has", async () => {
    const { model, state, asked } = busyModel(clock);
    const answers = answerFromCaches(caches(), clock, 1000);
    state.isFull = false;
    await answers(model, ["1"], PLAIN, caller);
    state.isFull = true;
    const [known] = await answers(model, ["1"], PLAIN, caller);
    assert.ok(known?.status === "fulfilled");
    assert.equal(known.value.cache, "memory");
    assert.equal(asked.length, 1);
    const [also, unknown] = await answers(model, ["1", "2"], PLAIN, caller);
    assert.equal(also?.status, "fulfilled");
    assert.ok(unknown?.status === "rejected");
    assert.ok(refused(unknown.reason));
    // The call, not each of its texts.
    await assert.rejects(answers(model, ["2", "3", "2"], PLAIN, caller), refused);
    await assert.rejects(answers(model, ["1"], { ...PLAIN, skipCache: true }, caller), refused);
  });

  it("is asked once by each of those who wait for equal texts, also where a call has them twice", async () => {
    const { model, asked } = busyModel(clock);
    const answers = answerFromCaches(caches(), clock, 1000);
    const calls = Array.from({ length: 5 }, () => answers(model, ["1", "1"], PLAIN, caller));
    for (const call of calls) await assert.rejects(call, refused);
    assert.equal(asked.length, 5);
  });

  it("refuses a call before anything is begun for it, and answers by what is under way for others", async () => {
    const { model, state, asked } = busyModel(clock);
    const leases = recorder(model.lease);
    const leased = { ...model, lease: leases[0] };
    const answers = answerFromCaches(caches(), clock, 1000);
    await assert.rejects(answers(leased, ["1", "1"], PLAIN, caller), refused);
    assert.deepEqual([asked, leases[1]], [[[1, 3]], []]);
    state.isFull = false;
    const first = answers(leased, ["1"], PLAIN, caller);
    state.isFull = true;
    const [[known], [also, unknown]] = await Promise.all([
      answers(leased, ["1"], PLAIN, caller),
      answers(leased, ["1", "2"], PLAIN, caller),
    ]);
    assert.deepEqual([known?.status, also?.status], ["fulfilled", "fulfilled"]);
    assert.ok(unknown?.status === "rejected" && refused(unknown.reason));
    await first;
  });

  it("answers all who wait for equal texts, where it lets in but one of them", async () => {
    const { model, state, asked } = busyModel(clock);
    state.isFull = false;
    let isFirst = true;
    const submit: typeof model.submit = async (rows, call) => {
      if (!isFirst) return await model.submit(rows, call);
      isFirst = false;
      throw new ServiceError("OVERLOADED", "Too much: try again later.");
    };
    const answers = answerFromCaches(caches(), clock, 1000);
    const calls = Array.from({ length: 6 }, () =>
      answers({ ...model, submit }, ["1"], PLAIN, caller),
    );
    const [first, ...others] = calls;
    await assert.rejects(first ?? Promise.resolve(), refused);
    for (const [outcome] of await Promise.all(others)) assert.equal(outcome?.status, "fulfilled");
    assert.equal(asked.length, 2);
  });

  it("keeps an answer for its time, by however many texts it is found that the model reads alike", async () => {
    const { model, state } = busyModel(clock);
    const answers = answerFromCaches(caches(), clock, 1000);
    state.isFull = false;
    const cacheOf = async (text: string) => {
      const [outcome] = await answers(model, [text], PLAIN, caller);
      return outcome?.status === "fulfilled" ? outcome.value.cache : outcome;
    };
    assert.equal(await cacheOf("1"), "none");
    clock.advance(40_000);
    assert.equal(await cacheOf("1 "), "memory");
    clock.advance(19_999);
    assert.equal(await cacheOf("1 "), "memory");
    assert.equal(await cacheOf(" 1"), "memory");
    clock.advance(1);
    assert.equal(await cacheOf("1 "), "none");
  });

  it("reads what a Redis may have: it is found by what the model reads", async () => {
    const { model, asked, read } = busyModel(clock);
    const shared: Cache<CachedAnswer> = {
      get: async (keys) => keys.map(() => undefined),
      set: () => {},
      clear: async () => 0,
      [Symbol.asyncDispose]: async () => {},
    };
    const [looked] = await answerFromCaches(caches(shared), clock, 1000)(
      model,
      ["1"],
      PLAIN,
      caller,
    );
    assert.equal(looked?.status, "fulfilled");
    assert.deepEqual([asked, read], [[], [["1"]]]);
  });
});
