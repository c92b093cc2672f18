import assert from "node:assert/strict";
import { cacheOf, fill, keyOf, numbered, sized } from "./cached.js";

describe("the memory cache", () => {
  it("gives what was set, in the order of the keys, and undefined for what was not", async () => {
    const { cache } = cacheOf();
    fill(cache, ["good", "bad"]);
    const found = await cache.get([keyOf("bad"), keyOf("none"), keyOf("good")]);
    assert.deepEqual(found, [
      { value: sized("bad"), tier: "memory" },
      undefined,
      { value: sized("good"), tier: "memory" },
    ]);
    assert.deepEqual(await cache.get([]), []);
  });

  it("shares values: each hit is the one object that was set, and costs no other", async () => {
    const { cache } = cacheOf();
    const value = sized("good");
    cache.set([[keyOf("good"), value]]);
    const [one, other] = await cache.get([keyOf("good"), keyOf("good")]);
    assert.equal(one?.value, value);
    assert.equal(one, other);
    assert.equal(cache.peek(keyOf("good")), value);
  });

  it("keeps the same hash apart in two spaces", () => {
    const { cache } = cacheOf();
    cache.set([
      [keyOf("good", "fast"), sized("of fast")],
      [keyOf("good", "accurate"), sized("of accurate")],
    ]);
    assert.equal(cache.peek(keyOf("good", "fast"))?.name, "of fast");
    assert.equal(cache.peek(keyOf("good", "accurate"))?.name, "of accurate");
    assert.equal(cache.peek(keyOf("good", "balanced")), undefined);
  });

  it("replaces the value of a key, and counts its bytes once", () => {
    const { cache } = cacheOf();
    cache.set([[keyOf("good"), sized("old", 10)]]);
    cache.set([[keyOf("good"), sized("new", 4)]]);
    assert.equal(cache.peek(keyOf("good"))?.name, "new");
    assert.deepEqual([cache.entries, cache.bytes], [1, 4]);
  });

  it("takes the last of two values for a key in one call", () => {
    const { cache } = cacheOf();
    cache.set([
      [keyOf("good"), sized("first")],
      [keyOf("good"), sized("last")],
    ]);
    assert.equal(cache.peek(keyOf("good"))?.name, "last");
    assert.equal(cache.entries, 1);
  });

  it("is empty once disposed of", async () => {
    const { cache } = cacheOf();
    fill(cache, ["good"]);
    await cache[Symbol.asyncDispose]();
    assert.deepEqual([cache.entries, cache.bytes], [0, 0]);
  });
});

describe("the bounds of the memory cache", () => {
  it("holds no more than its entries, and the newest is among them", () => {
    const { cache } = cacheOf({ maxEntries: 3 });
    for (const name of numbered("text", 10)) {
      fill(cache, [name]);
      assert.equal(cache.peek(keyOf(name))?.name, name);
    }
    assert.equal(cache.entries, 3);
  });

  it("holds no more than its bytes: one large value takes the place of several small ones", () => {
    const { cache } = cacheOf({ maxBytes: 10 });
    fill(cache, numbered("small", 10));
    assert.equal(cache.bytes, 10);
    cache.set([[keyOf("large"), sized("large", 7)]]);
    assert.equal(cache.peek(keyOf("large"))?.name, "large");
    assert.deepEqual([cache.entries, cache.bytes], [4, 10]);
  });

  it("holds a value that fills it alone", () => {
    const { cache } = cacheOf({ maxBytes: 10 });
    fill(cache, numbered("small", 10));
    cache.set([[keyOf("large"), sized("large", 10)]]);
    assert.deepEqual([cache.entries, cache.bytes], [1, 10]);
  });

  for (const bytes of [11, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`never keeps a value of ${bytes} bytes where 10 are the most, nor what its key had`, () => {
      const { cache } = cacheOf({ maxBytes: 10 });
      fill(cache, ["good", "bad"]);
      cache.set([[keyOf("good"), sized("too large", bytes)]]);
      assert.equal(cache.peek(keyOf("good")), undefined);
      assert.equal(cache.peek(keyOf("bad"))?.name, "bad");
      assert.deepEqual([cache.entries, cache.bytes], [1, 1]);
    });
  }

  it("makes room for a value that has grown, and not of its own", () => {
    const { cache } = cacheOf({ maxBytes: 10 });
    fill(cache, numbered("small", 10));
    cache.set([[keyOf("small0"), sized("grown", 10)]]);
    assert.equal(cache.peek(keyOf("small0"))?.name, "grown");
    assert.equal(cache.entries, 1);
  });

  it("holds values of no bytes within its entries", () => {
    const { cache } = cacheOf({ maxEntries: 2, maxBytes: 0 });
    cache.set(numbered("text", 5).map((name) => [keyOf(name), sized(name, 0)]));
    assert.equal(cache.entries, 2);
  });

  it("holds nothing where it may have no entries", () => {
    const { cache } = cacheOf({ maxEntries: 0 });
    fill(cache, ["good"]);
    assert.equal(cache.entries, 0);
  });

  it("does not grow over 100,000 values, many of them in spaces of their own", () => {
    const { cache } = cacheOf({ maxEntries: 1000 });
    for (let text = 0; text < 100_000; text++) {
      cache.set([[keyOf(`text${text}`, `space${text % 5000}`), sized("any", 3)]]);
      assert.ok(cache.entries <= 1000);
    }
    assert.deepEqual([cache.entries, cache.bytes], [1000, 3000]);
  });
});

describe("the hottest of the memory cache", () => {
  it("are those used most often, with their keys", async () => {
    const { cache } = cacheOf();
    fill(cache, ["cold", "hot", "warm"], "fast");
    for (let use = 0; use < 9; use++) cache.peek(keyOf("hot", "fast"));
    await cache.get([keyOf("warm", "fast"), keyOf("warm", "fast")]);
    assert.deepEqual(cache.hottest(2), [
      { key: keyOf("hot", "fast"), value: sized("hot"), hits: 9, leftMs: 1000 },
      { key: keyOf("warm", "fast"), value: sized("warm"), hits: 2, leftMs: 1000 },
    ]);
    assert.equal(cache.hottest(100).length, 3);
    assert.deepEqual(cache.hottest(0), []);
  });

  it("were used lately: what was hot cools with every value that it gets", () => {
    const { cache } = cacheOf();
    fill(cache, ["past", "present"]);
    for (let use = 0; use < 11; use++) cache.peek(keyOf("past"));
    for (let use = 0; use < 4; use++) cache.peek(keyOf("present"));
    fill(cache, ["past"]);
    assert.equal(cache.hottest(1)[0]?.value.name, "past");
    fill(cache, ["past"]);
    assert.equal(cache.hottest(1)[0]?.value.name, "present");
  });

  it("have not expired", () => {
    const { cache, clock } = cacheOf();
    fill(cache, ["old"]);
    clock.advance(600);
    fill(cache, ["new"]);
    clock.advance(600);
    assert.deepEqual(cache.hottest(9), [
      { key: keyOf("new"), value: sized("new"), hits: 0, leftMs: 400 },
    ]);
  });
});

describe("clear() of the memory cache", () => {
  it("forgets one space, and says how many", async () => {
    const { cache } = cacheOf();
    fill(cache, ["one", "two"], "fast");
    fill(cache, ["one"], "accurate");
    assert.equal(await cache.clear("fast"), 2);
    assert.equal(cache.peek(keyOf("one", "fast")), undefined);
    assert.equal(cache.peek(keyOf("one", "accurate"))?.name, "one");
    assert.deepEqual([cache.entries, cache.bytes], [1, 1]);
    assert.equal(await cache.clear("fast"), 0);
  });

  it("forgets all, and says how many", async () => {
    const { cache } = cacheOf();
    fill(cache, ["one", "two"], "fast");
    fill(cache, ["one"], "accurate");
    assert.equal(await cache.clear(), 3);
    assert.deepEqual([cache.entries, cache.bytes], [0, 0]);
    assert.equal(await cache.clear(), 0);
  });

  it("leaves a cache that fills again", async () => {
    const { cache } = cacheOf({ maxEntries: 3 });
    fill(cache, numbered("text", 5));
    await cache.clear();
    fill(cache, numbered("other", 5));
    assert.equal(cache.entries, 3);
    assert.equal(cache.peek(keyOf("other4"))?.name, "other4");
  });
});
