import assert from "node:assert/strict";
import { Account, Accounts } from "../../../server/quota/accounts.js";

describe("Account", () => {
  it("keeps for a call what it may cost, and frees what it did not", () => {
    const account = new Account("team", 60, 0);
    account.begin(50);
    assert.equal(account.msUntil(10, 0), 0);
    assert.equal(account.msUntil(11, 0), 1000);
    account.spend(20, 20, 0);
    assert.equal(account.msUntil(11, 0), 1000, "20 of the 50 are spent now");
    account.end(30);
    assert.equal(account.msUntil(40, 0), 0);
    assert.equal(account.msUntil(41, 0), 1000);
  });

  it("lets in what is worth more than the whole once the whole is there, and has it paid back", () => {
    const account = new Account("team", 60, 0);
    assert.equal(account.msUntil(1000, 0), 0);
    account.begin(1000);
    assert.ok(account.msUntil(1, 0) > 0);
    account.spend(300, 300, 0);
    account.end(700);
    assert.equal(account.level(0), -240);
    assert.equal(account.msUntil(1, 0), 241_000);
    assert.equal(account.msUntil(1000, 0), 300_000, "no longer than until it is whole");
  });

  it("counts what is spent after its call has ended", () => {
    const account = new Account("team", 60, 0);
    account.begin(10);
    account.end(10);
    account.spend(25, 0, 0);
    assert.equal(account.level(0), 35);
    assert.equal(account.takeUntold(), 25);
    assert.equal(account.takeUntold(), 0);
  });

  it("learns only of less than it knows, and of a debt of ten minutes at most", () => {
    const account = new Account("team", 60, 0);
    account.spend(20, 0, 0);
    account.takeUntold();
    account.learn(55, 0);
    assert.equal(account.level(0), 40);
    account.spend(5, 0, 0);
    account.learn(30, 0);
    assert.equal(account.level(0), 25, "the five were not told yet");
    account.takeUntold();
    account.learn(Number.NEGATIVE_INFINITY, 0);
    assert.equal(account.level(0), -600);
  });
});

describe("Accounts", () => {
  const spend = (account: Account, tokens: number, nowMs = 0) => {
    account.spend(tokens, 0, nowMs);
    account.takeUntold();
  };

  it("has one for each holder, with the quota that he has now", () => {
    const accounts = new Accounts();
    const account = accounts.of("team", 60, 0);
    account.spend(20, 0, 0);
    assert.equal(accounts.of("team", 60, 0), account);
    assert.notEqual(accounts.of("other", 60, 0), account);
    assert.equal(accounts.of("team", 600, 0).tokensPerMinute, 600);
    assert.equal(accounts.of("team", 600, 1000).level(1000), 50);
  });

  it("lets full ones go first where there are too many, and no others", () => {
    const accounts = new Accounts(3);
    spend(accounts.of("spent", 60, 0), 30);
    accounts.of("full", 60, 0);
    accounts.of("busy", 60, 0).begin(1);
    accounts.of("new", 60, 0);
    assert.equal(accounts.size, 3);
    assert.equal(accounts.of("spent", 60, 0).level(0), 30);
    assert.ok(accounts.of("busy", 60, 0).msUntil(60, 0) > 0);
  });

  it("forgets the oldest where holders are new with every call", () => {
    const accounts = new Accounts(100);
    for (let call = 0; call < 10_000; call++) {
      spend(accounts.of(`2001:db8::${call}`, 60, call), 60, call);
      assert.ok(accounts.size <= 100);
    }
    assert.ok(accounts.of("2001:db8::9950", 60, 10_000).level(10_000) < 1);
    assert.equal(accounts.of("2001:db8::0", 60, 10_000).level(10_000), 60);
  });
});
