import assert from "node:assert/strict";
import { Account } from "../../../server/quota/accounts.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

describe("WaitingLine", () => {
  let clock: FakeClock;
  let account: Account;
  let went: string[];
  /** Times that somebody was let go on. */
  let wakes: number;
  const { signal } = new AbortController();

  beforeEach(() => {
    [clock, went, wakes] = [new FakeClock(), [], 0];
    account = new Account("team", 60, 0);
    account.spend(60, 0, 0);
  });

  /** As `Quota.reserveBy` does. */
  const wait = async (name: string, tokens: number, untilMs = 1e6, leaves = signal) => {
    while (account.msUntil(tokens, clock.now()) > 0) {
      if (clock.now() >= untilMs) return void went.push(`${name} gave up`);
      await account.wait(tokens, untilMs, clock, leaves);
      wakes++;
    }
    account.begin(tokens);
    account.spend(tokens, tokens, clock.now());
    account.end(0);
    went.push(name);
  };
  const passed = async (ms: number) => {
    clock.advance(ms);
    for (let turns = 0; turns < 5; turns++) await turn();
    return went.splice(0);
  };

  it("lets those go on for whom there is enough, in their order, and wakes no others", async () => {
    for (let one = 0; one < 1000; one++) void wait(`${one}`, 2);
    assert.deepEqual(await passed(1999), []);
    assert.deepEqual(await passed(1), ["0"]);
    assert.deepEqual(await passed(2000), ["1"]);
    assert.deepEqual(await passed(2000), ["2"]);
    assert.equal(wakes, 3);
    const timers = clock.pending;
    assert.equal(timers, 997 + 1, "their own limits, and one for all");
  });

  it("lets small ones go on before a large one, and the large one when there is enough", async () => {
    void wait("large", 50);
    void wait("small", 10);
    assert.deepEqual(await passed(10_000), ["small"]);
    assert.deepEqual(await passed(49_999), []);
    assert.deepEqual(await passed(1), ["large"]);
    assert.equal(clock.pending, 0);
  });

  it("looks anew when a call has cost less than it kept, and only then", async () => {
    account = new Account("team", 60, 0);
    account.begin(60);
    void wait("large", 50);
    void wait("small", 10);
    account.end(0);
    account.begin(0);
    assert.deepEqual(await passed(0), []);
    account.end(60);
    assert.deepEqual(await passed(0), ["large", "small"]);
  });

  it("lets go on who has no more time, and forgets who leaves", async () => {
    const leaving = new AbortController();
    const left = wait("left", 1, 1e6, leaving.signal);
    void wait("late", 60, 5000);
    leaving.abort(new Error("they left"));
    await assert.rejects(left, /they left/);
    assert.deepEqual(await passed(5000), ["late gave up"]);
    assert.equal(clock.pending, 0);
  });

  it("asks no timer for more than it counts, however large the debt", async () => {
    account = new Account("team", 1, 0);
    account.spend(1e6, 0, 0);
    const asked: number[] = [];
    const noting = {
      now: () => clock.now(),
      after: (ms: number, run: () => void) => {
        asked.push(ms);
        return clock.after(ms, run);
      },
    };
    void account.wait(1, 500_000, noting, signal);
    clock.advance(200_000);
    assert.deepEqual(asked, [60_000, 500_000, 60_000, 60_000, 60_000]);
  });

  it("goes by the quota that there is now", async () => {
    void wait("one", 30);
    account.setRate(600, 0);
    assert.deepEqual(await passed(2999), []);
    assert.deepEqual(await passed(1), ["one"]);
  });
});
