import assert from "node:assert/strict";
import { Breaker } from "../../../server/backend/breaker.js";
import { FakeClock } from "../../support/fake-clock.js";

const work = (tokens = 1, model = "sentiment_fast/1") => ({ model, tokens });

describe("Breaker", () => {
  let clock: FakeClock;
  let breaker: Breaker;
  const succeed = (tookMs: number, tokens = 1) => {
    const attempt = breaker.begin(work(tokens));
    clock.advance(tookMs);
    breaker.succeeded(attempt);
  };
  const leaveUnanswered = (tookMs: number, tokens = 1) => {
    const attempt = breaker.begin(work(tokens));
    clock.advance(tookMs);
    breaker.unanswered(attempt);
  };
  /** One that fails while another comes back, so that it counts but does not open at once. */
  const leaveUnansweredBeside = (tookMs: number) => {
    const attempt = breaker.begin(work());
    clock.advance(tookMs);
    succeed(0);
    breaker.unanswered(attempt);
  };

  beforeEach(() => {
    clock = new FakeClock();
    breaker = new Breaker(clock);
  });

  it("is closed at first, and has had no success", () => {
    assert.equal(breaker.isOpen, false);
    assert.equal(breaker.succeededWithin(1e9), false);
  });

  it("opens when a call goes unanswered for long and nothing else came back meanwhile", () => {
    succeed(10);
    clock.advance(1);
    leaveUnanswered(1000);
    assert.equal(breaker.isOpen, true);
  });

  it("does not when others came back meanwhile", () => {
    succeed(10);
    const slow = breaker.begin(work());
    clock.advance(500);
    succeed(10);
    clock.advance(490);
    breaker.unanswered(slow);
    assert.equal(breaker.isOpen, false);
  });

  it("thinks nothing of a call that was given up early", () => {
    for (let n = 0; n < 30; n++) leaveUnanswered(249);
    assert.equal(breaker.isOpen, false);
    leaveUnanswered(250);
    assert.equal(breaker.isOpen, true);
  });

  it("has more patience with what usually takes longer", () => {
    succeed(200);
    leaveUnanswered(999);
    assert.equal(breaker.isOpen, false);
    leaveUnanswered(1000);
    assert.equal(breaker.isOpen, true);
  });

  it("opens when half of the last calls went unanswered, though others came back", () => {
    succeed(10);
    // Each is noted with the success beside it: from the fifth outcome on the share counts.
    leaveUnansweredBeside(1000);
    assert.equal(breaker.isOpen, false);
    leaveUnansweredBeside(1000);
    assert.equal(breaker.isOpen, false, "2 of 5");
    const [one, other] = [breaker.begin(work()), breaker.begin(work())];
    clock.advance(1000);
    succeed(0);
    breaker.unanswered(one);
    assert.equal(breaker.isOpen, false, "3 of 7");
    breaker.unanswered(other);
    assert.equal(breaker.isOpen, true, "4 of 8");
  });

  it("looks at the last twenty outcomes only", () => {
    for (let n = 0; n < 100; n++) succeed(10);
    const slow = Array.from({ length: 10 }, () => breaker.begin(work()));
    clock.advance(1000);
    succeed(0);
    for (const attempt of slow.slice(1)) breaker.unanswered(attempt);
    assert.equal(breaker.isOpen, false, "9 of 20");
    breaker.unanswered(slow[0] ?? breaker.begin(work()));
    assert.equal(breaker.isOpen, true, "10 of 20");
  });

  it("opens at once for what is gone, and only close closes it, and forgets what was", () => {
    breaker.open();
    succeed(10);
    assert.equal(breaker.isOpen, true);
    for (let n = 0; n < 10; n++) leaveUnansweredBeside(1000);
    breaker.close();
    assert.equal(breaker.isOpen, false);
    leaveUnansweredBeside(1000);
    assert.equal(breaker.isOpen, false);
  });

  it("is not opened by the end of a call that began before it was closed", () => {
    const [first, second] = [breaker.begin(work()), breaker.begin(work())];
    clock.advance(1000);
    breaker.unanswered(first);
    assert.equal(breaker.isOpen, true);
    breaker.close();
    clock.advance(100);
    breaker.unanswered(second);
    assert.equal(breaker.isOpen, false);
  });

  it("is not stopped by a close of what is not open", () => {
    const slow = breaker.begin(work());
    clock.advance(1000);
    // A probe passes, batches do not.
    breaker.close();
    breaker.unanswered(slow);
    assert.equal(breaker.isOpen, true);
  });

  it("allows a call five times what calls took lately, from a second to half a minute", () => {
    assert.equal(breaker.limitMs(work()), 1000);
    succeed(100);
    assert.equal(breaker.limitMs(work()), 1000);
    succeed(1100);
    assert.equal(breaker.limitMs(work()), 1000, "the mean is 200");
    succeed(2200);
    assert.equal(breaker.limitMs(work()), 2000, "the mean is 400");
    for (let n = 0; n < 100; n++) succeed(60_000);
    assert.equal(breaker.limitMs(work()), 30_000);
  });

  it("allows a call of more tokens than usual as many times more", () => {
    for (let n = 0; n < 10; n++) succeed(20, 32);
    assert.equal(breaker.limitMs(work(320)), 1000);
    assert.equal(breaker.limitMs(work(3200)), 10_000);
    assert.equal(breaker.limitMs(work()), 1000);
    clock.advance(1);
    leaveUnanswered(9999, 3200);
    assert.equal(breaker.isOpen, false);
    leaveUnanswered(10_000, 3200);
    assert.equal(breaker.isOpen, true);
  });

  it("does not count the first call of many tokens as unanswered when it is given up early", () => {
    leaveUnanswered(4999, 1000);
    assert.equal(breaker.isOpen, false);
    leaveUnanswered(5000, 1000);
    assert.equal(breaker.isOpen, true);
  });

  it("knows one model's calls from another's, until it is told to forget them", () => {
    const accurate = work(100, "sentiment_accurate/1");
    succeed(10, 100);
    assert.equal(breaker.limitMs(accurate), 1000, "as one of which nothing is known");
    const attempt = breaker.begin(accurate);
    clock.advance(900);
    breaker.succeeded(attempt);
    assert.equal(breaker.limitMs(accurate), 4500);
    assert.equal(breaker.limitMs(work(100)), 1000);
    breaker.forget(accurate.model);
    assert.equal(breaker.limitMs(accurate), 1000);
  });

  it("allows one of many tokens more than a second while nothing has come back", () => {
    assert.equal(breaker.limitMs(work(200)), 1000);
    assert.equal(breaker.limitMs(work(2000)), 10_000);
    assert.equal(breaker.limitMs(work(1e6)), 30_000);
  });

  it("allows twice as much each time that nothing came back in it, until something does", () => {
    for (const limitMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      assert.equal(breaker.limitMs(work()), limitMs);
      leaveUnanswered(limitMs);
      assert.equal(breaker.isOpen, true);
      breaker.close();
    }
    succeed(1200);
    assert.equal(breaker.limitMs(work()), 6000);
    // What is gone is not slow.
    breaker.open();
    breaker.close();
    breaker.close();
    assert.equal(breaker.limitMs(work()), 6000);
  });

  it("tells whether something came back lately", () => {
    succeed(10);
    clock.advance(2000);
    assert.equal(breaker.succeededWithin(2000), true);
    clock.advance(1);
    assert.equal(breaker.succeededWithin(2000), false);
  });
});
