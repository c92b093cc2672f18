import assert from "node:assert/strict";
import { seeded } from "../../../benchmarks/texts.js";
import { cacheOf, keyOf, sized } from "./cached.js";

describe("expiry in the memory cache", () => {
  it("makes a value a miss once its time has passed, not before", async () => {
    const { cache, clock } = cacheOf();
    cache.set([[keyOf("good"), sized("good")]]);
    clock.advance(999);
    assert.equal(cache.peek(keyOf("good"))?.name, "good");
    clock.advance(1);
    assert.equal(cache.peek(keyOf("good")), undefined);
    assert.deepEqual(await cache.get([keyOf("good")]), [undefined]);
  });

  it("is not put off by use, but by a new value", () => {
    const { cache, clock } = cacheOf();
    cache.set([[keyOf("good"), sized("old")]]);
    clock.advance(600);
    cache.peek(keyOf("good"));
    clock.advance(600);
    assert.equal(cache.peek(keyOf("good")), undefined);
    cache.set([[keyOf("good"), sized("new")]]);
    clock.advance(600);
    assert.equal(cache.peek(keyOf("good"))?.name, "new");
  });

  it("comes sooner for what is set for less, never later than for others", () => {
    const { cache, clock } = cacheOf();
    cache.setFor(300, keyOf("short"), sized("short"));
    cache.setFor(1e9, keyOf("long"), sized("long"));
    cache.setFor(0, keyOf("none"), sized("none"));
    assert.deepEqual(
      ["short", "long", "none", "never there"].map((name) => cache.leftMs(keyOf(name))),
      [300, 1000, 0, 0],
    );
    clock.advance(300);
    assert.deepEqual([cache.leftMs(keyOf("short")), cache.peek(keyOf("short"))], [0, undefined]);
    clock.advance(699);
    assert.equal(cache.peek(keyOf("long"))?.name, "long");
    clock.advance(1);
    assert.equal(cache.peek(keyOf("long")), undefined);
  });

  it("never comes while the clock stands still", () => {
    const { cache } = cacheOf();
    cache.set([[keyOf("good"), sized("good")]]);
    for (let asked = 0; asked < 1000; asked++)
      assert.equal(cache.peek(keyOf("good"))?.name, "good");
    assert.equal(cache.sweep(), 0);
  });

  it("comes for everything when the clock jumps far ahead, and the cache works on", () => {
    const { cache, clock } = cacheOf();
    cache.set([[keyOf("good"), sized("good")]]);
    clock.advance(1e12);
    assert.equal(cache.peek(keyOf("good")), undefined);
    cache.set([[keyOf("good"), sized("new")]]);
    assert.equal(cache.peek(keyOf("good"))?.name, "new");
    assert.equal(cache.sweep(), 0);
  });

  it("never comes with an endless time to live", () => {
    const { cache, clock } = cacheOf({ ttlMs: Number.POSITIVE_INFINITY });
    cache.set([[keyOf("good"), sized("good")]]);
    clock.advance(1e12);
    assert.equal(cache.peek(keyOf("good"))?.name, "good");
  });

  for (const [share, lastsMs] of [
    [0, 900],
    [0.25, 950],
    [0.5, 1000],
    [1 - Number.EPSILON, 1100],
  ] as const) {
    it(`comes after ${lastsMs} of 1,000 ms with the random number ${share.toFixed(2)}`, () => {
      const { cache, clock } = cacheOf({ random: () => share });
      cache.set([[keyOf("good"), sized("good")]]);
      clock.advance(lastsMs - 1);
      assert.equal(cache.peek(keyOf("good"))?.name, "good");
      clock.advance(2);
      assert.equal(cache.peek(keyOf("good")), undefined);
    });
  }

  it("does not come at once for values written together", () => {
    const { cache, clock } = cacheOf({ maxEntries: 1000, random: seeded(1) });
    const names = Array.from({ length: 1000 }, (_, place) => `text${place}`);
    cache.set(names.map((name) => [keyOf(name), sized(name)]));
    clock.advance(899);
    assert.equal(cache.sweep(), 0);
    for (let ms = 900; ms < 1100; ms += 20) {
      clock.advance(20);
      const swept = cache.sweep();
      assert.ok(swept > 50 && swept < 150, `${swept} expired within 20 ms`);
    }
    clock.advance(2);
    cache.sweep();
    assert.equal(cache.entries, 0);
  });

  it("gives memory back when it is swept, and only of what has expired", () => {
    const { cache, clock } = cacheOf();
    cache.set([
      [keyOf("old", "fast"), sized("old", 5)],
      [keyOf("old", "accurate"), sized("old", 6)],
    ]);
    clock.advance(600);
    cache.set([[keyOf("new", "fast"), sized("new", 7)]]);
    clock.advance(600);
    assert.deepEqual([cache.entries, cache.bytes], [3, 18]);
    assert.equal(cache.sweep(), 2);
    assert.deepEqual([cache.entries, cache.bytes], [1, 7]);
    assert.equal(cache.peek(keyOf("new", "fast"))?.name, "new");
    assert.equal(cache.sweep(), 0);
  });
});
