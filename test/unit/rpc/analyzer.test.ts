import assert from "node:assert/strict";
import { answerAnew } from "../../../server/classify/answering.js";
import type { ServedModel } from "../../../server/classify/model.js";
import type { Models } from "../../../server/classify/models.js";
import { Warming } from "../../../server/classify/warming.js";
import { type Call, type Origin, unasked } from "../../../server/core/call.js";
import type { Tier as TierName } from "../../../server/core/tiers.js";
import { Tier } from "../../../server/gen/sentiment/v1/sentiment.js";
import { Pace } from "../../../server/quota/pace.js";
import type { Quota } from "../../../server/quota/quota.js";
import { analyzer } from "../../../server/rpc/analyzer.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { turn } from "../../support/recorder.js";
import { callFrom, someCall } from "../../support/some-call.js";
import { quotaOf } from "../../support/some-quota.js";
import { answer, fakeModel, NEUTRAL, type Rows } from "../classify/fake-model.js";
import { resultOf } from "../outcomes.js";

describe("analyzer", () => {
  let clock: FakeClock;
  let log: string[];
  let calls: Call[];
  let held: Promise<unknown>;
  let models: Models;
  let accurateWaitMs: number;
  let quota: Quota;

  beforeEach(() => {
    clock = new FakeClock();
    [log, calls, held] = [[], [], Promise.resolve()];
    accurateWaitMs = 0;
    quota = quotaOf(clock, {});
    const made = (tier: TierName): ServedModel => {
      const submit = async (rows: Rows, call: Call) => {
        calls.push(call);
        await held;
        log.push(`${tier} answers`);
        return rows.map(() => answer(NEUTRAL));
      };
      const waitMs = () => (tier === "fast" ? 0 : accurateWaitMs);
      const [model] = fakeModel(clock, () => [], { tier, cascadeThreshold: 0.9, waitMs, submit });
      return model;
    };
    const served = [made("fast"), made("accurate")];
    models = {
      list: () => served,
      spacesOf: () => [],
      lease: (tier) => {
        const model = served.find((one) => one.tier === tier);
        return (
          model && {
            model,
            compare: (texts) => log.push(`${tier} compares ${texts.length}`),
            [Symbol.dispose]: () => log.push(`${tier} given back`),
          }
        );
      },
      load: async () => undefined,
      unload: async () => undefined,
    };
  });
  const analyze = (
    tier: Tier,
    texts: readonly string[] = ["1"],
    call = someCall(),
    pace?: Pace,
  ) => {
    const limits = {
      maxTextLength: 100,
      maxBatchTexts: 10,
      timeoutMs: 1000,
      maxStreamTexts: 1,
      brownOutMs: 100,
    };
    const reportBug = () => {};
    const parts = {
      models,
      answer: answerAnew(clock),
      caches: undefined,
      warming: new Warming(() => false, clock),
      defaultTier: "fast",
      limits,
      quota,
      clock,
      reportBug,
      tracer: undefined,
      events: {
        ...NO_EVENTS,
        shed: (reason: string, texts: number) => log.push(`${reason} ${texts}`),
      },
      ended: () => {},
      version: "1.2.3",
      status: () => assert.fail("no status was asked for"),
      profiler: { capture: () => assert.fail("no profile was asked for") },
      peers: undefined,
    } as const;
    return analyzer(parts)(texts, tier, undefined, call, pace);
  };

  it("gives the model back once it has answered, and what was answered is compared", async () => {
    const outcomes = await analyze(Tier.TIER_FAST, ["1", "2"]);
    assert.equal(resultOf(outcomes[1]).label, "neutral");
    assert.deepEqual(log, ["fast answers", "fast compares 2", "fast given back"]);
  });

  it("keeps both models of the cascade until it is over, and what each has answered is compared", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const answered = analyze(Tier.TIER_AUTO);
    await turn();
    assert.deepEqual(log, []);
    resolve();
    await answered;
    assert.deepEqual(log, [
      ...["fast answers", "fast compares 1", "accurate answers", "accurate compares 1"],
      ...["accurate given back", "fast given back"],
    ]);
  });

  it("passes on the caller's deadline where it is earlier than its own, and the trace", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const origin = { traceparent };
    for (const deadlineMs of [500, 5000, Number.POSITIVE_INFINITY])
      await analyze(Tier.TIER_FAST, ["1"], someCall({ deadlineMs, origin }));
    // A text of one character takes a millisecond to read.
    assert.deepEqual(
      calls.map((call) => call.deadlineMs),
      [500, 1001, 1002],
    );
    for (const call of calls) assert.equal(call.origin, origin);
  });

  it("tells of texts that fast answers for want of time, unless they warm the caches", async () => {
    accurateWaitMs = 101;
    await analyze(Tier.TIER_AUTO, ["1", "2"]);
    assert.deepEqual(log.slice(0, 2), ["brown_out 2", "fast answers"]);
    log.length = 0;
    await analyze(Tier.TIER_AUTO, ["1"], unasked(someCall().signal));
    await analyze(Tier.TIER_ACCURATE);
    assert.ok(!log.some((line) => line.startsWith("brown_out")));
  });

  describe("of a caller with a quota", () => {
    const TEAM: Origin = { holder: "team", allowed: { tokensPerMinute: 60 } };
    const asTeam = (tier: Tier, texts: readonly string[] = ["1"], pace?: Pace) =>
      analyze(tier, texts, callFrom(TEAM), pace);
    /** A text of 24 tokens by estimate. */
    const TEXT = "1".repeat(88);

    it("lets in what its quota has room for, and charges what the model tells", async () => {
      const answers = [asTeam(Tier.TIER_FAST, [TEXT]), asTeam(Tier.TIER_FAST, [TEXT])];
      await assert.rejects(asTeam(Tier.TIER_FAST, [TEXT]), { reason: "RATE_LIMITED" });
      await Promise.all(answers);
      // The model has told of nothing that it read.
      await asTeam(Tier.TIER_FAST, [TEXT, TEXT]);
      calls.at(-1)?.charge?.read("fast", 60);
      await assert.rejects(asTeam(Tier.TIER_FAST), { reason: "RATE_LIMITED" });
    });

    it("gives back what it kept for a call that fails", async () => {
      for (let round = 0; round < 5; round++)
        await assert.rejects(asTeam(Tier.TIER_BALANCED, [TEXT]), /use fast, accurate/);
      await asTeam(Tier.TIER_FAST, [TEXT, TEXT]);
    });

    it("charges nobody for what nobody has asked for", async () => {
      const call = callFrom({ ...TEAM, isUnasked: true });
      await analyze(Tier.TIER_FAST, Array(9).fill(TEXT), call);
      assert.equal(calls.at(-1)?.charge, undefined);
    });

    it("has the text of a stream wait for its quota, within the time that the text has", async () => {
      await asTeam(Tier.TIER_FAST);
      calls.at(-1)?.charge?.read("fast", 60);
      const sinceMs = clock.now();
      const within = asTeam(Tier.TIER_FAST, ["1"], new Pace(quota));
      const late = assert.rejects(within, { reason: "RATE_LIMITED" });
      await turn();
      clock.advance(1000);
      await late;
      assert.equal(clock.now() - sinceMs, 1000);
      clock.advance(1500);
      const waiting = asTeam(Tier.TIER_FAST, ["1"], new Pace(quota));
      await turn();
      assert.equal(calls.length, 1, "two and a half of three tokens were enough");
      clock.advance(500);
      assert.ok(resultOf((await waiting)[0]));
    });
  });

  it("names the tiers that are served to who asks for another", async () => {
    await assert.rejects(analyze(Tier.TIER_BALANCED), /use fast, accurate/);
  });
});
