import assert from "node:assert/strict";
import { cpuUsage, ownCpuMs } from "../../../server/observe/cpu-usage.js";
import { FakeClock } from "../../support/fake-clock.js";

describe("cpuUsage", () => {
  it("is the share of all processors since it was last asked", () => {
    const clock = new FakeClock();
    let usedMs = 100;
    const percent = cpuUsage(4, () => usedMs, clock);
    clock.advance(10_000);
    usedMs += 20_000;
    assert.equal(percent(), 50);
    clock.advance(10_000);
    assert.equal(percent(), 0);
  });

  it("is what it was for who asks within a second, and nothing of it is lost", () => {
    const clock = new FakeClock();
    let usedMs = 0;
    const percent = cpuUsage(1, () => usedMs, clock);
    assert.equal(percent(), 0);
    clock.advance(1000);
    usedMs = 250;
    assert.equal(percent(), 25);
    clock.advance(999);
    usedMs = 750;
    assert.equal(percent(), 25);
    clock.advance(1);
    assert.equal(percent(), 50);
  });

  it("counts the time of this process", () => {
    const beforeMs = ownCpuMs();
    const untilMs = performance.now() + 5000;
    let tookMs = 0;
    // A busy machine gives it little in a moment.
    while (tookMs <= 5 && performance.now() < untilMs) tookMs = ownCpuMs() - beforeMs;
    assert.ok(tookMs > 5, `${tookMs}`);
  });
});
