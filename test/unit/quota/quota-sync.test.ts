import assert from "node:assert/strict";
import type { SharedQuota, Spent } from "../../../server/core/shared-quota.js";
import { memoryQuota } from "../../../server/quota/memory-quota.js";
import type { Quota } from "../../../server/quota/quota.js";
import { QuotaSync } from "../../../server/quota/quota-sync.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";
import { callFrom } from "../../support/some-call.js";
import { quotaOf } from "../../support/some-quota.js";
import { seeded } from "../seeded.js";

const SYNC_MS = 250;
const PLAIN = { sentences: false, explain: false };
const textOf = (tokens: number) => "x".repeat(4 * (tokens - 2));

/** Has a call of the team cost so many tokens; whether it was let in. */
function spends(quota: Quota, tokens: number, holder = "team", tokensPerMinute = 600): boolean {
  const call = callFrom({ holder, allowed: { tokensPerMinute } });
  try {
    using reserved = quota.reserve([textOf(tokens)], "fast", PLAIN, call);
    reserved?.read("fast", tokens);
    return true;
  } catch {
    return false;
  }
}

describe("QuotaSync", () => {
  let clock: FakeClock;
  let told: string[];
  let asked: (readonly Spent[])[];
  beforeEach(() => {
    [clock, told, asked] = [new FakeClock(), [], []];
  });

  /** A server that shares its quotas there. */
  const front = (shared: SharedQuota["take"]) => {
    const take: SharedQuota["take"] = (spent) => {
      asked.push(spent);
      return shared(spent);
    };
    const sync = new QuotaSync({ take }, clock, (outcome, why) =>
      told.push(why === undefined ? outcome : `${outcome}: ${why}`),
    );
    return { sync, quota: quotaOf(clock, {}, {}, sync) };
  };
  const synced = async () => {
    clock.advance(SYNC_MS);
    for (let hop = 0; hop < 3; hop++) await turn();
  };

  it("tells what was spent since the last time, and nothing while nothing is", async () => {
    const { quota } = front(async () => [500]);
    assert.equal(clock.pending, 0);
    spends(quota, 10);
    spends(quota, 5);
    clock.advance(SYNC_MS - 1);
    assert.equal(asked.length, 0);
    await synced();
    assert.deepEqual(asked, [[{ holder: "team", tokensPerMinute: 600, tokens: 15 }]]);
    assert.deepEqual(told, ["shared"]);
    assert.equal(clock.pending, 0);
    spends(quota, 20);
    await synced();
    assert.equal(asked[1]?.[0]?.tokens, 20);
  });

  it("learns what the others have spent, and forgets nothing of what it spends meanwhile", async () => {
    const { promise, resolve } = Promise.withResolvers<readonly number[]>();
    const { quota } = front(() => promise);
    spends(quota, 100);
    await synced();
    spends(quota, 50);
    // The others have left 70, which the 50 come off.
    resolve([70]);
    await turn();
    assert.equal(spends(quota, 21), false);
    assert.equal(spends(quota, 20), true);
  });

  it("is one at a time, however long the others take", async () => {
    const { quota } = front(() => new Promise(() => {}));
    spends(quota, 10);
    await synced();
    spends(quota, 10);
    for (let round = 0; round < 10; round++) await synced();
    assert.equal(asked.length, 1);
    assert.equal(clock.pending, 0);
  });

  it("keeps to the quota alone while the others cannot be told, and says so", async () => {
    let isDown = true;
    const { quota } = front(async (spent) => {
      if (isDown) throw new Error("Redis is down");
      return spent.map(() => 600);
    });
    assert.equal(spends(quota, 600), true);
    assert.equal(spends(quota, 10), false);
    await synced();
    assert.deepEqual(told, ["alone: Redis is down"]);
    clock.advance(750);
    assert.equal(spends(quota, 10), true);
    isDown = false;
    await synced();
    assert.equal(told.at(-1), "shared");
    assert.equal(asked.at(-1)?.[0]?.tokens, 10, "what may have arrived is not told again");
    assert.equal(spends(quota, 10), false, "a Redis that knows nothing fills nobody's quota");
  });

  for (const levels of [
    [],
    [undefined],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    ["12" as unknown as number],
  ] as const)
    it(`takes ${JSON.stringify(levels)} (${String(levels[0])}) for no answer`, async () => {
      const { quota } = front(async () => levels);
      spends(quota, 10);
      await synced();
      assert.deepEqual(told, ["alone: what is left could not be read"]);
      assert.equal(spends(quota, 590), true);
    });

  it("tells of a thousand holders at once, and of the others the next time", async () => {
    const { quota } = front(async (spent) => spent.map(() => 0));
    for (let number = 0; number < 1500; number++) spends(quota, 3, `holder ${number}`);
    await synced();
    await synced();
    assert.deepEqual(
      asked.map(({ length }) => length),
      [1000, 500],
    );
    assert.equal(new Set(asked.flat().map(({ holder }) => holder)).size, 1500);
  });

  it("tells nobody once it is closed", async () => {
    const { sync, quota } = front(async () => [0]);
    spends(quota, 10);
    sync[Symbol.dispose]();
    assert.equal(clock.pending, 0);
    spends(quota, 10);
    await synced();
    assert.equal(asked.length, 0);
  });

  for (let seed = 1; seed <= 5; seed++) {
    it(`has several servers keep to one quota, but for what they let in before they are told (seed ${seed})`, async () => {
      const draw = seeded(seed);
      const store = memoryQuota(clock);
      const fronts = Array.from({ length: draw(2, 4) }, () => front(store.take).quota);
      const rate = draw(600, 6000);
      const flowed = () => (rate * clock.now()) / 60_000;
      // Each may let in what is left as it knows it, and what has flowed in since.
      const over = (fronts.length - 1) * (rate + (rate * 2 * SYNC_MS) / 60_000);
      let spent = 0;
      const oneCall = (quota: Quota) => {
        const tokens = draw(3, 30);
        if (spends(quota, tokens, "team", rate)) spent += tokens;
      };
      for (let step = 0; step < 2000; step++) {
        for (const quota of fronts) oneCall(quota);
        clock.advance(draw(10, 50));
        await turn();
        assert.ok(spent <= rate + flowed() + over, `${spent} after ${clock.now()} ms`);
      }
      assert.ok(spent >= rate + 0.95 * flowed(), `${spent} of ${rate + flowed()}`);
    });
  }
});
