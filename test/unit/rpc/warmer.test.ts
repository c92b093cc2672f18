import assert from "node:assert/strict";
import type { Verdict } from "../../../server/classify/classifier.js";
import { Warming } from "../../../server/classify/warming.js";
import { type Call, unasked } from "../../../server/core/call.js";
import { type Reason, ServiceError, StartupError } from "../../../server/core/errors.js";
import { Tier } from "../../../server/gen/sentiment/v1/sentiment.js";
import type { Analyze, ServiceParts } from "../../../server/rpc/analyzer.js";
import { cacheWarmer, textWarmer } from "../../../server/rpc/warmer.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

const NEVER = new AbortController().signal;
const tier = Tier.TIER_FAST;

const fulfilled = (cache: Verdict["cache"]) => ({
  status: "fulfilled" as const,
  value: { cache } as Partial<Verdict> as Verdict,
});
const rejected = (reason: unknown) => ({ status: "rejected" as const, reason });
const faultOf = (reason: Reason) => new ServiceError(reason, "no");

describe("warming by the path of Analyze", () => {
  let clock: FakeClock;
  let busy: boolean;
  let bugs: unknown[];
  let asked: (readonly string[])[];
  let calls: Call[];
  let outcome: (text: string) => PromiseSettledResult<Verdict>;
  let parts: ServiceParts;
  const analyze: Analyze = async (texts, message, options, call) => {
    call.signal.throwIfAborted();
    calls.push(call);
    assert.deepEqual([message, options], [tier, undefined]);
    asked.push(texts);
    return texts.map(outcome);
  };

  beforeEach(() => {
    clock = new FakeClock();
    [busy, bugs, asked, calls] = [false, [], [], []];
    outcome = () => fulfilled("none");
    parts = {
      warming: new Warming(() => busy, clock),
      caches: { clear: async () => 0 },
      limits: {
        maxTextLength: 20,
        maxBatchTexts: 2,
        timeoutMs: 3000,
        maxStreamTexts: 1,
        brownOutMs: undefined,
      },
      clock,
      reportBug: (_id, error) => bugs.push(error),
    } as Partial<ServiceParts> as ServiceParts;
  });

  describe("a text", () => {
    const warm = (text = "fine") => textWarmer(parts, analyze, tier)(text, NEVER);

    it("is warmed where the model was run, and present where a cache had it", async () => {
      assert.equal(await warm(), "warmed");
      for (const cache of ["memory", "redis"] as const) {
        outcome = () => fulfilled(cache);
        assert.equal(await warm(), "present");
      }
    });

    it("is analyzed alone, and not counted among what calls look for", async () => {
      await warm();
      assert.deepEqual(asked, [["fine"]]);
      assert.deepEqual(calls, [unasked(NEVER)]);
    });

    it("has failed where it is none that Analyze would take, and is not asked about", async () => {
      for (const text of ["", " \n", "x".repeat(21), "\ud800"])
        assert.equal(await warm(text), "failed");
      assert.deepEqual(asked, []);
    });

    it("has failed where it alone is refused", async () => {
      for (const reason of ["TEXT_TOO_LONG", "DEADLINE"] as const) {
        outcome = () => rejected(faultOf(reason));
        assert.equal(await warm(), "failed");
      }
      assert.deepEqual(bugs, []);
    });

    it("is asked again where the queue is full", async () => {
      outcome = () => rejected(faultOf("OVERLOADED"));
      assert.equal(await warm(), "later");
    });

    it("ends the warming by what would meet all of them", async () => {
      for (const fault of [
        faultOf("BACKEND_DOWN"),
        faultOf("TIER_UNKNOWN"),
        new StartupError("no"),
      ]) {
        outcome = () => rejected(fault);
        await assert.rejects(warm(), fault);
      }
    });

    it("has failed by a bug of ours, of which the first one is reported", async () => {
      const [bug, other] = [new Error("a bug"), new Error("another")];
      const warming = textWarmer(parts, analyze, tier);
      for (const error of [bug, other]) {
        outcome = () => rejected(error);
        assert.equal(await warming("fine", NEVER), "failed");
      }
      assert.deepEqual(bugs, [bug]);
    });

    it("is nobody's fault once the caller has left", async () => {
      const reason = new Error("gone");
      const gone = textWarmer(parts, analyze, tier)("fine", AbortSignal.abort(reason));
      await assert.rejects(gone, reason);
      assert.deepEqual(bugs, []);
    });
  });

  describe("WarmCache", () => {
    const warm = (texts: readonly string[], signal = NEVER) =>
      cacheWarmer(parts, analyze)(texts, tier, signal);

    it("counts what was done", async () => {
      outcome = (text) => fulfilled(text === "old" ? "memory" : "none");
      const texts = ["new", "old", "", "new"];
      assert.deepEqual(await warm(texts), { warmed: 1, present: 2, failed: 1 });
    });

    it("takes 1 to 10,000 texts, whatever a batch may have", async () => {
      await assert.rejects(warm([]), { reason: "BATCH_EMPTY" });
      const most = Array.from({ length: 10_000 }, (_, place) => `${place}`);
      assert.equal((await warm(most)).warmed, 10_000);
      await assert.rejects(warm([...most, "more"]), { reason: "BATCH_TOO_LARGE" });
    }).timeout(20_000);

    it("says how to switch caching on where it is off", async () => {
      parts = { ...parts, caches: undefined };
      await assert.rejects(warm(["fine"]), {
        reason: "NOT_IMPLEMENTED",
        message: /ENABLE_CACHING=true/,
      });
      assert.deepEqual(asked, []);
    });

    it("refuses a tier that is not served, whatever the texts are", async () => {
      const refusing: Analyze = () => Promise.reject(faultOf("TIER_UNKNOWN"));
      await assert.rejects(cacheWarmer(parts, refusing)([""], tier, NEVER), {
        reason: "TIER_UNKNOWN",
      });
    });

    it("ends at REQUEST_TIMEOUT, and says how much was done", async () => {
      busy = true;
      const late = assert.rejects(warm(["one", "two", "three", "four", "five"]), {
        reason: "DEADLINE",
        message: "2 of 5 texts were done within 3 s, and stay: send them again for the rest.",
      });
      for (let ms = 0; ms <= 3000; ms += 20) {
        for (let turns = 0; turns < 3; turns++) await turn();
        clock.advance(20);
      }
      await late;
      assert.equal(clock.pending, 0);
    });

    it("ends when its caller leaves", async () => {
      busy = true;
      const leaving = new AbortController();
      const left = assert.rejects(warm(["one"], leaving.signal), { message: "gone" });
      for (let turns = 0; turns < 5; turns++) await turn();
      leaving.abort(new Error("gone"));
      await left;
      assert.equal(clock.pending, 0);
    });
  });
});
