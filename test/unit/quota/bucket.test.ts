import assert from "node:assert/strict";
import { Bucket } from "../../../server/quota/bucket.js";
import { seeded } from "../seeded.js";

describe("Bucket", () => {
  it("begins full, holds no more than a minute's worth, and is refilled evenly", () => {
    const bucket = new Bucket(600, 1000);
    assert.equal(bucket.level(1000), 600);
    assert.equal(bucket.level(9000), 600);
    bucket.take(600, 9000);
    assert.equal(bucket.level(9000), 0);
    assert.equal(bucket.level(9100), 1);
    assert.equal(bucket.level(9150), 1.5);
    assert.equal(bucket.level(69_000), 600);
    assert.equal(bucket.level(999_000), 600);
  });

  it("goes into debt, and pays it back first", () => {
    const bucket = new Bucket(60, 0);
    bucket.take(90, 0);
    assert.equal(bucket.level(0), -30);
    assert.equal(bucket.level(30_000), 0);
  });

  it("says when it will hold so many, to the millisecond", () => {
    const bucket = new Bucket(600, 0);
    bucket.take(600, 0);
    assert.equal(bucket.msUntil(25, 0), 2500);
    assert.equal(Math.round(bucket.msUntil(25, 2499)), 1);
    assert.equal(bucket.msUntil(25, 2500), 0);
    assert.equal(bucket.msUntil(-5, 2500), 0);
  });

  it("is neither refilled by a clock that goes back, nor stuck after it, nor overfilled by a leap", () => {
    const bucket = new Bucket(60, 1_000_000);
    bucket.take(60, 1_000_000);
    assert.equal(bucket.level(500_000), 0);
    assert.equal(bucket.level(501_000), 1);
    assert.equal(bucket.level(Number.MAX_SAFE_INTEGER), 60);
  });

  it("keeps what it holds when its rate changes, as far as there is room", () => {
    const bucket = new Bucket(60, 0);
    bucket.setRate(600, 0);
    assert.equal(bucket.level(0), 60);
    assert.equal(bucket.level(1000), 70);
    bucket.setRate(30, 1000);
    assert.equal(bucket.level(1000), 30);
  });

  it("is only ever lowered by what is told to it", () => {
    const bucket = new Bucket(60, 0);
    bucket.lowerTo(10, 0);
    bucket.lowerTo(50, 0);
    assert.equal(bucket.level(0), 10);
  });

  for (let seed = 1; seed <= 50; seed++) {
    it(`lets through no more than it holds at first and what flows in (seed ${seed})`, () => {
      const draw = seeded(seed);
      const rate = draw(1, 5000);
      const bucket = new Bucket(rate, 0);
      let [nowMs, taken] = [0, 0];
      for (let step = 0; step < 500; step++) {
        nowMs += draw(0, 1) * draw(0, 1) * draw(0, 20_000) + draw(0, 50);
        const tokens = draw(1, rate);
        if (bucket.msUntil(tokens, nowMs) > 0) continue;
        bucket.take(tokens, nowMs);
        taken += tokens;
        assert.ok(taken <= rate + (rate * nowMs) / 60_000 + 1e-6, `step ${step}`);
      }
      assert.ok(taken > 0);
    });
  }
});
