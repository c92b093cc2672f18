import assert from "node:assert/strict";
import { ServiceError } from "../../../server/core/errors.js";
import { CacheTier, type Model, Tier } from "../../../server/gen/sentiment/v1/sentiment.js";
import {
  type AdminCall,
  acrossProcesses,
  answerCall,
  type LocalAdmin,
  type PeerOutcome,
  type Peers,
} from "../../../server/rpc/across-processes.js";

const SIGNAL = new AbortController().signal;
const {
  CACHE_TIER_UNSPECIFIED: ALL,
  CACHE_TIER_MEMORY: MEMORY,
  CACHE_TIER_REDIS: REDIS,
} = CacheTier;
const model = undefined;

const status = ({ queuedTexts = 0, ready = true, startedMs = 5000, draining = false }) => ({
  version: "1.2.3",
  started: new Date(startedMs),
  models: [{ name: "sentiment_fast", ready } as Model],
  queuedTexts,
  queuedTokens: queuedTexts * 10,
  cacheEntries: 2,
  memoryBytes: 100,
  draining,
});

describe("AdminService across processes", () => {
  let asked: AdminCall[];
  let outcomes: readonly PeerOutcome[];
  let failure: Error | undefined;
  let askedSignal: AbortSignal | undefined;
  const local: LocalAdmin = {
    warmCache: async () => {
      if (failure) throw failure;
      return { warmed: 1, present: 2, failed: 0 };
    },
    clearCache: async () => {
      if (failure) throw failure;
      return { cleared: 5 };
    },
    loadModel: async () => {
      if (failure) throw failure;
      return { model };
    },
    unloadModel: async () => ({ model }),
    getStatus: async () => status({ queuedTexts: 1, ready: true }),
  };
  const peers: Peers = {
    answerBy: () => {},
    ask: async (call, signal) => {
      asked.push(call);
      askedSignal = signal;
      return outcomes;
    },
  };
  const all = acrossProcesses(local, peers);
  const reasonOf = (error: unknown) => (error instanceof ServiceError ? error.reason : undefined);
  beforeEach(() => {
    [asked, outcomes, failure] = [[], [], undefined];
  });

  it("adds up what was warmed, and what was forgotten", async () => {
    outcomes = [
      { number: 2, counts: { warmed: 3, present: 0, failed: 0 } },
      { number: 3, counts: { warmed: 0, present: 1, failed: 2 } },
    ];
    const request = { texts: ["fine"], tier: Tier.TIER_FAST };
    assert.deepEqual(await all.warmCache(request, SIGNAL), { warmed: 4, present: 3, failed: 2 });
    assert.deepEqual(asked, [{ name: "warmCache", request }]);
    outcomes = [{ number: 2, counts: { cleared: 7 } }];
    assert.deepEqual(await all.clearCache({ cache: ALL, model: "" }, SIGNAL), { cleared: 12 });
  });

  it("clears Redis once, and memory everywhere", async () => {
    await all.clearCache({ cache: REDIS, model: "" }, SIGNAL);
    assert.deepEqual(asked, []);
    await all.clearCache({ cache: ALL, model: "sentiment_fast" }, SIGNAL);
    const request = { cache: MEMORY, model: "sentiment_fast" };
    assert.deepEqual(asked, [{ name: "clearCache", request }]);
  });

  it("clears memory everywhere where Redis is down, and tells so", async () => {
    failure = new ServiceError("CACHE_DOWN", "Redis was not cleared as a whole.");
    await assert.rejects(all.clearCache({ cache: REDIS, model: "" }, SIGNAL), failure);
    assert.deepEqual(asked, []);
    await assert.rejects(all.clearCache({ cache: ALL, model: "" }, SIGNAL), failure);
    assert.deepEqual(asked, [{ name: "clearCache", request: { cache: MEMORY, model: "" } }]);
  });

  it("asks nobody for what cannot be done here", async () => {
    failure = new ServiceError("MODEL_UNUSABLE", "the file is gone");
    await assert.rejects(all.loadModel({ tier: Tier.TIER_FAST }, SIGNAL), failure);
    await assert.rejects(all.clearCache({ cache: ALL, model: "mistyped" }, SIGNAL), failure);
    assert.deepEqual(asked, []);
    await assert.rejects(all.warmCache({ texts: [], tier: Tier.TIER_FAST }, SIGNAL), failure);
    assert.equal(askedSignal?.aborted, true, "the others go on warming");
  });

  it("fails where one of them cannot, and tells which, and how many have done it", async () => {
    outcomes = [
      { number: 2, counts: {} },
      { number: 3, fault: { reason: "PROCESS_DOWN", message: "It has died." } },
      { number: 4, fault: { reason: "DEADLINE", message: "No answer within 3 s." } },
    ];
    for (const call of [
      all.loadModel({ tier: Tier.TIER_FAST }, SIGNAL),
      all.unloadModel({ tier: Tier.TIER_FAST }, SIGNAL),
      all.clearCache({ cache: ALL, model: "" }, SIGNAL),
      all.warmCache({ texts: ["fine"], tier: Tier.TIER_FAST }, SIGNAL),
    ]) {
      await assert.rejects(call, (error: Error) => {
        assert.equal(reasonOf(error), "PROCESS_DOWN");
        assert.equal(
          error.message,
          "Done by 2 of 4 processes. Process 3: It has died. Process 4: No answer within 3 s.",
        );
        return true;
      });
    }
  });

  for (const [reason, retryAfterMs] of [
    ["BACKEND_DOWN", 1000],
    ["OVERLOADED", 1000],
    ["MODEL_UNUSABLE", undefined],
  ] as const)
    it(`says when to ask again where another one's reason is ${reason}`, async () => {
      outcomes = [{ number: 2, fault: { reason, message: "Not now." } }];
      await assert.rejects(all.loadModel({ tier: Tier.TIER_FAST }, SIGNAL), (error) => {
        assert.ok(error instanceof ServiceError);
        assert.equal(error.hints.retryAfterMs, retryAfterMs);
        return true;
      });
    });

  it("tells of all as of one server", async () => {
    const tell = async (...others: readonly Parameters<typeof status>[0][]) => {
      outcomes = await Promise.all(
        others.map(async (one, place) => {
          const admin = { ...local, getStatus: async () => status(one) };
          const counts = await answerCall(admin, { name: "getStatus", request: {} }, SIGNAL);
          return { number: place + 2, counts };
        }),
      );
      return all.getStatus({}, SIGNAL);
    };
    assert.deepEqual(await tell({ queuedTexts: 2 }, { queuedTexts: 4, startedMs: 4000 }), {
      ...status({ queuedTexts: 7, startedMs: 4000 }),
      cacheEntries: 6,
      memoryBytes: 300,
    });
    const { models, draining } = await tell({ ready: false }, { draining: true });
    assert.deepEqual([models[0]?.ready, draining], [false, true]);
    outcomes = [{ number: 2, counts: {} }];
    assert.equal(
      (await all.getStatus({}, SIGNAL)).models[0]?.ready,
      false,
      "it is not served there",
    );
    outcomes = [{ number: 2, fault: { reason: "PROCESS_DOWN", message: "It has died." } }];
    const alone = await all.getStatus({}, SIGNAL);
    assert.deepEqual([alone.queuedTexts, alone.models[0]?.ready], [1, false]);
  });

  it("does what another process asks", async () => {
    const done = (call: AdminCall) => answerCall(local, call, SIGNAL);
    const tier = { tier: Tier.TIER_FAST };
    assert.deepEqual(await done({ name: "clearCache", request: { cache: ALL, model: "" } }), {
      cleared: 5,
    });
    assert.deepEqual(await done({ name: "warmCache", request: { ...tier, texts: [] } }), {
      warmed: 1,
      present: 2,
      failed: 0,
    });
    for (const name of ["loadModel", "unloadModel"] as const)
      assert.deepEqual(await done({ name, request: tier }), {});
  });
});
