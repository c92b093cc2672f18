import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askTexts } from "../../src/api/ask-texts.ts";
import { AskError } from "../../src/api/errors.ts";
import { never, pacing } from "../support/clock.ts";
import { refusal, resultOf } from "../support/sentiments.ts";

const busy = (retryAfterMs?: number) => new AskError("busy", "OVERLOADED", true, retryAfterMs);

describe("a call that may be asked again", () => {
  it("waits as long as it was told, and a fifth more at most", async () => {
    for (const [random, waited] of [
      [0, 3000],
      [1, 3600],
    ] as const) {
      const { pace, waits, nowMs } = pacing(random);
      let tries = 0;
      const answer = await pace.ask(async () => {
        if (tries++ === 0) throw busy(3000);
        return "answer";
      }, never);
      assert.equal(answer, "answer");
      assert.equal(nowMs(), waited);
      assert.deepEqual(waits, [
        [waited, "busy"],
        [0, ""],
      ]);
    }
  });

  it("waits longer and longer where nobody said how long, and gives up in the end", async () => {
    const { pace, waits, nowMs } = pacing();
    await assert.rejects(
      pace.ask(() => Promise.reject(busy()), never),
      /busy/,
    );
    assert.deepEqual(
      waits.flatMap(([ms]) => (ms > 0 ? [ms] : [])).slice(0, 6),
      [200, 400, 800, 1600, 3200, 5000],
    );
    assert.ok(nowMs() > 120_000 && nowMs() < 130_000, String(nowMs()));
  });

  it("makes the others wait, too", async () => {
    const { pace, nowMs } = pacing();
    const begun: number[] = [];
    let isFirst = true;
    const call = async () => {
      begun.push(nowMs());
      if (isFirst) {
        isFirst = false;
        throw busy(5000);
      }
    };
    await pace.ask(call, never);
    await Promise.all([pace.ask(call, never), pace.ask(call, never)]);
    assert.deepEqual(begun, [0, 5000, 5000, 5000]);
  });

  it("says that it waits for as long as it does, though another is answered meanwhile", async () => {
    let answerOther = () => {};
    const answered = new Promise<void>((resolve) => {
      answerOther = resolve;
    });
    const meanwhile: number[] = [];
    const { pace, waits } = pacing(0, async () => {
      answerOther();
      await other;
      meanwhile.push(...waits.map(([ms]) => ms));
    });
    const other = pace.ask(() => answered, never);
    let tries = 0;
    await pace.ask(async () => {
      if (tries++ === 0) throw busy(4000);
    }, never);
    assert.deepEqual(meanwhile, [4000]);
    assert.deepEqual(waits, [
      [4000, "busy"],
      [0, ""],
    ]);
  });

  it("is not tried again for anything else", async () => {
    for (const error of [new AskError("bad key", "KEY_UNKNOWN"), new TypeError("a bug")]) {
      const { pace, waits } = pacing();
      await assert.rejects(
        pace.ask(() => Promise.reject(error), never),
        error,
      );
      assert.deepEqual(waits, []);
    }
  });

  it("ends when it is cancelled while it waits", async () => {
    const { pace } = pacing();
    const stop = new AbortController();
    const asked = pace.ask(async () => {
      stop.abort();
      throw busy(60_000);
    }, stop.signal);
    await assert.rejects(asked, { name: "AbortError" });
  });
});

describe("texts of one call", () => {
  const ask = (texts: readonly string[]) => Promise.resolve(texts.map(resultOf));

  it("have an outcome each, in their order", async () => {
    const outcomes = await askTexts(["fine", "", "good"], ask, pacing().pace, never);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome instanceof AskError ? outcome.reason : outcome.label)),
      ["LABEL_POSITIVE", "TEXT_EMPTY", "LABEL_POSITIVE"],
    );
  });

  it("are asked in halves where they are too large together; one alone is an error of its own", async () => {
    const asked: (readonly string[])[] = [];
    const texts = ["a", "b", "huge", "c", "d"];
    const outcomes = await askTexts(
      texts,
      async (some) => {
        asked.push(some);
        if (some.includes("huge")) throw new AskError("too large", "BODY_TOO_LARGE");
        return ask(some);
      },
      pacing().pace,
      never,
    );
    assert.deepEqual(asked, [texts, ["a", "b", "huge"], ["a", "b"], ["huge"], ["c", "d"]]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome instanceof AskError),
      [false, false, true, false, false],
    );
  });

  it("are asked again alone where the server had no time for them", async () => {
    const { pace, nowMs } = pacing();
    const asked: (readonly string[])[] = [];
    const outcomes = await askTexts(
      ["a", "late", "c"],
      async (some) => {
        asked.push(some);
        const results = some.map(resultOf);
        if (asked.length > 2) return results;
        return results.map((result, at) =>
          some[at] === "late" ? { index: at, error: refusal(14, "BACKEND_DOWN", "1.5s") } : result,
        );
      },
      pace,
      never,
    );
    assert.deepEqual(asked, [["a", "late", "c"], ["late"], ["late"]]);
    assert.equal(nowMs(), 3000);
    assert.ok(outcomes.every((outcome) => !(outcome instanceof AskError)));
  });

  it("that the server never has time for become errors", async () => {
    let calls = 0;
    const outcomes = await askTexts(
      ["late"],
      async () => {
        calls++;
        return [{ index: 0, error: refusal(8, "OVERLOADED", "1s") }];
      },
      pacing().pace,
      never,
    );
    assert.equal(calls, 10);
    assert.equal((outcomes[0] as AskError).reason, "OVERLOADED");
  });
});
