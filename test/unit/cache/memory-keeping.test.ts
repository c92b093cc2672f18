import assert from "node:assert/strict";
import { cacheOf, fill, heldOf, keyOf, numbered, sized } from "./cached.js";

const kept = (name: string, { hits = 0, leftMs = 500, bytes = 1 } = {}) => ({
  key: keyOf(name),
  value: sized(name, bytes),
  hits,
  leftMs,
});

describe("restore() of the memory cache", () => {
  it("takes in what the hottest of another one were, with their time and standing", () => {
    const { cache: before, clock } = cacheOf();
    fill(before, ["cold", "hot"]);
    for (let use = 0; use < 5; use++) before.peek(keyOf("hot"));
    clock.advance(400);
    const { cache, clock: later } = cacheOf();
    const hottest = before.hottest(9);
    for (const one of hottest) assert.equal(cache.restore(one), true);
    assert.deepEqual(cache.hottest(9), hottest);
    later.advance(599);
    assert.deepEqual(heldOf(cache, ["cold", "hot"]), ["cold", "hot"]);
    later.advance(1);
    assert.deepEqual(heldOf(cache, ["cold", "hot"]), []);
  });

  it("keeps nothing longer than its own time to live", () => {
    const { cache, clock } = cacheOf();
    cache.restore(kept("text", { leftMs: 1e9 }));
    clock.advance(1000);
    assert.equal(cache.peek(keyOf("text")), undefined);
  });

  for (const leftMs of [0, -1, Number.NaN]) {
    it(`takes in nothing that has ${leftMs} ms left`, () => {
      const { cache } = cacheOf();
      assert.equal(cache.restore(kept("text", { leftMs })), false);
      assert.equal(cache.entries, 0);
    });
  }

  it("leaves what a key has by now", () => {
    const { cache } = cacheOf();
    cache.set([[keyOf("text"), sized("new")]]);
    assert.equal(cache.restore(kept("text")), false);
    assert.equal(cache.peek(keyOf("text"))?.name, "new");
  });

  it("pushes nothing out: neither beyond the entries, nor beyond the bytes", () => {
    const { cache } = cacheOf({ maxEntries: 3, maxBytes: 10 });
    fill(cache, ["one", "two"]);
    assert.equal(cache.restore(kept("large", { bytes: 9 })), false);
    assert.equal(cache.restore(kept("three", { bytes: 8 })), true);
    assert.equal(cache.restore(kept("four")), false);
    assert.deepEqual([cache.entries, cache.bytes], [3, 10]);
  });

  it("spares what was in use when many texts are seen once", () => {
    const { cache } = cacheOf({ maxEntries: 100 });
    const [hot, cold] = [numbered("hot", 50), numbered("cold", 50)];
    for (const name of hot) cache.restore(kept(name, { hits: 2 }));
    for (const name of cold) cache.restore(kept(name));
    fill(cache, numbered("once", 1000));
    assert.deepEqual(heldOf(cache, hot), hot);
    assert.deepEqual(heldOf(cache, cold), []);
  });
});

describe("trim() of the memory cache", () => {
  it("drops a share of the entries, rounded up, and says how many", () => {
    const { cache } = cacheOf();
    fill(cache, numbered("text", 10));
    const left: number[] = [];
    while (cache.entries > 0) {
      const before = cache.entries;
      assert.equal(cache.trim(0.25), before - cache.entries);
      left.push(cache.entries);
    }
    assert.deepEqual(left, [7, 5, 3, 2, 1, 0]);
    assert.deepEqual([cache.trim(0.25), cache.bytes], [0, 0]);
  });

  it("drops what was used less before what was used more", () => {
    const { cache } = cacheOf();
    const [often, once, never] = [
      numbered("often", 40),
      numbered("once", 30),
      numbered("never", 30),
    ];
    fill(cache, [...often, ...once, ...never]);
    for (let use = 0; use < 3; use++) heldOf(cache, often);
    heldOf(cache, once);
    cache.trim(0.5);
    assert.equal(cache.entries, 50);
    assert.deepEqual(heldOf(cache, often), often);
  });

  it("leaves a cache that fills again", () => {
    const { cache } = cacheOf({ maxEntries: 10 });
    fill(cache, numbered("text", 10));
    cache.trim(1);
    fill(cache, numbered("other", 20));
    assert.equal(cache.entries, 10);
  });
});
