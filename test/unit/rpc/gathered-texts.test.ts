import assert from "node:assert/strict";
import type { OnHit } from "../../../server/classify/answering.js";
import type { Verdict } from "../../../server/classify/classifier.js";
import { currentCall } from "../../../server/core/call.js";
import { type AnalyzeStreamRequest, Tier } from "../../../server/gen/sentiment/v1/sentiment.js";
import { GatheredTexts } from "../../../server/rpc/gathered-texts.js";
import { turn } from "../../support/recorder.js";

const { TIER_FAST, TIER_BALANCED } = Tier;

/** A verdict that says which text it is of. */
const verdictOf = (text: string) => ({ version: text }) as Verdict;

/** What was asked, and what the test does about it. */
interface Asked {
  readonly texts: readonly string[];
  readonly tier: Tier;
  readonly onHit: OnHit;
  readonly answer: () => void;
  readonly fail: (reason: unknown) => void;
}

function gathering(mayAsk: (texts: readonly string[]) => boolean = () => true) {
  const asked: Asked[] = [];
  const gathered = new GatheredTexts((texts, tier, onHit) => {
    const { promise, resolve, reject } = Promise.withResolvers<PromiseSettledResult<Verdict>[]>();
    const outcomes = texts.map((text) =>
      text === "bad"
        ? { status: "rejected" as const, reason: new Error("a bad text") }
        : { status: "fulfilled" as const, value: verdictOf(text) },
    );
    asked.push({ texts, tier, onHit, answer: () => resolve(outcomes), fail: reject });
    return promise;
  }, mayAsk);
  return { gathered, asked };
}

describe("texts of a stream that come together", () => {
  it("are asked about together, each with its own outcome", async () => {
    const { gathered, asked } = gathering();
    const all = ["one", "bad", "two"].map((text) => gathered.ask(text, TIER_FAST));
    assert.equal(asked.length, 0);
    await turn();
    assert.deepEqual(
      asked.map(({ texts, tier }) => ({ texts, tier })),
      [{ texts: ["one", "bad", "two"], tier: TIER_FAST }],
    );
    asked[0]?.answer();
    const outcomes = await Promise.allSettled(all);
    assert.deepEqual(outcomes, [
      { status: "fulfilled", value: verdictOf("one") },
      { status: "rejected", reason: new Error("a bad text") },
      { status: "fulfilled", value: verdictOf("two") },
    ]);
  });

  it("do not wait for those that come later", async () => {
    const { gathered, asked } = gathering();
    void gathered.ask("one", TIER_FAST);
    await turn();
    void gathered.ask("two", TIER_FAST);
    await turn();
    assert.deepEqual(
      asked.map(({ texts }) => texts),
      [["one"], ["two"]],
    );
  });

  it("are at most eight, and of one tier", async () => {
    const { gathered, asked } = gathering();
    for (let text = 0; text < 18; text++) void gathered.ask(String(text), TIER_FAST);
    void gathered.ask("other", TIER_BALANCED);
    assert.deepEqual(
      asked.map(({ texts, tier }) => [texts.length, tier]),
      [
        [8, TIER_FAST],
        [8, TIER_FAST],
        [2, TIER_FAST],
      ],
    );
    await turn();
    assert.equal(asked.length, 4);
    assert.deepEqual(asked[3]?.texts, ["other"]);
    assert.equal(asked[3].tier, TIER_BALANCED);
  });

  it("do not wait for the others where they are known", async () => {
    const { gathered, asked } = gathering();
    const [unknown, known] = ["unknown", "known"].map((text) => gathered.ask(text, TIER_FAST));
    await turn();
    asked[0]?.onHit(1, verdictOf("known at once"));
    assert.deepEqual(await known, verdictOf("known at once"));
    asked[0]?.fail(new Error("too busy"));
    await assert.rejects(unknown ?? Promise.resolve(), { message: "too busy" });
  });

  it("are all refused where they are as a whole", async () => {
    const { gathered, asked } = gathering();
    const all = ["one", "two"].map((text) => gathered.ask(text, TIER_FAST));
    await turn();
    asked[0]?.fail(new Error("too busy"));
    for (const one of all) await assert.rejects(one, { message: "too busy" });
  });

  it("are those that their quota has enough for", () => {
    const { gathered } = gathering((texts) => texts.length <= 2);
    const request = { id: "1", text: "a", tier: TIER_FAST, options: undefined };
    assert.ok(gathered.takes(request, "fast"));
    void gathered.ask("a", TIER_FAST);
    assert.ok(gathered.takes(request, "fast"));
    void gathered.ask("a", TIER_FAST);
    assert.ok(!gathered.takes(request, "fast"));
  });

  it("are those that nobody waits for long", () => {
    const { gathered } = gathering();
    const plain = { id: "1", tier: TIER_FAST, options: undefined };
    const takes = (
      request: Pick<AnalyzeStreamRequest, "text"> & Partial<AnalyzeStreamRequest>,
      tier: Parameters<GatheredTexts["takes"]>[1] = "balanced",
    ) => gathered.takes({ ...plain, ...request }, tier);
    assert.ok(takes({ text: "a".repeat(300) }));
    assert.ok(takes({ text: "a" }, "fast"));
    assert.ok(!takes({ text: "a".repeat(301) }));
    assert.ok(!takes({ text: "a" }, "accurate"));
    assert.ok(!takes({ text: "a" }, "auto"));
    assert.ok(
      !takes({
        text: "a",
        options: { explain: true, sentences: false, skipCache: false, longText: 0 },
      }),
    );
    const span = { step: () => span } as never;
    const traced = { deadlineMs: 1, traceparent: undefined, span };
    assert.ok(!currentCall.run(traced, () => takes({ text: "a" })));
  });
});
