import assert from "node:assert/strict";
import { watchEventLoopLag } from "../../../server/observe/event-loop-lag.js";
import { createRegistry } from "../../../server/observe/metrics.js";
import { FakeClock } from "../../support/fake-clock.js";

describe("the event loop's lag", () => {
  const bucketsOf = async (registry: ReturnType<typeof createRegistry>) => {
    const text = await registry.metrics();
    const lines = text.matchAll(/_bucket{le="([^"]+)"} (\d+)/g);
    return new Map([...lines].map(([, bound, count]) => [bound, Number(count)]));
  };

  it("is how much later than asked for the timer fires", async () => {
    const timers = new FakeClock();
    let lateMs = 0;
    const clock = {
      now: () => timers.now() + lateMs,
      after: (ms: number, run: () => void) => timers.after(ms, run),
    };
    const registry = createRegistry();
    using _watch = watchEventLoopLag(registry, clock);
    timers.advance(20);
    lateMs += 40;
    timers.advance(10);
    const buckets = await bucketsOf(registry);
    // Late by 40 ms, and with it the looks that were due meanwhile: by 30, 20, 10 and 0.
    assert.equal(buckets.get("0.001"), 3);
    assert.equal(buckets.get("0.03"), 6);
    assert.equal(buckets.get("0.05"), 7);
  });

  it("is looked at no more once it is disposed of", () => {
    const clock = new FakeClock();
    {
      using _watch = watchEventLoopLag(createRegistry(), clock);
      assert.equal(clock.pending, 1);
    }
    assert.equal(clock.pending, 0);
  });
});
