import assert from "node:assert/strict";
import { cacheOf, fill, heldOf, keyOf, numbered } from "./cached.js";

describe("what the memory cache lets go", () => {
  it("is not what is in use when many texts are seen once", () => {
    const { cache } = cacheOf({ maxEntries: 100 });
    const popular = numbered("popular", 80);
    fill(cache, popular);
    assert.deepEqual(heldOf(cache, popular), popular);
    fill(cache, numbered("once", 10_000));
    assert.deepEqual(heldOf(cache, popular), popular);
  });

  it("is not what is in use either where bytes are what is short", () => {
    const { cache } = cacheOf({ maxEntries: 10_000, maxBytes: 100 });
    const popular = numbered("popular", 80);
    fill(cache, popular);
    heldOf(cache, popular);
    fill(cache, numbered("once", 5000));
    assert.deepEqual(heldOf(cache, popular), popular);
  });

  it("is what is no longer in use, once others are", () => {
    const { cache } = cacheOf({ maxEntries: 100 });
    const past = numbered("past", 100);
    fill(cache, past);
    heldOf(cache, past);
    const present = numbered("present", 90);
    for (let round = 0; round < 10; round++) {
      for (const name of present) if (cache.peek(keyOf(name)) === undefined) fill(cache, [name]);
    }
    assert.deepEqual(heldOf(cache, present), present);
  });

  it("is what was used once before what was used more often", () => {
    const { cache } = cacheOf({ maxEntries: 100 });
    const [once, often] = [numbered("once", 40), numbered("often", 40)];
    fill(cache, [...often, ...once]);
    for (let use = 0; use < 3; use++) heldOf(cache, often);
    heldOf(cache, once);
    for (const name of numbered("present", 100)) {
      fill(cache, [name]);
      cache.peek(keyOf(name));
    }
    assert.deepEqual(heldOf(cache, often), often);
    assert.deepEqual(heldOf(cache, once), []);
  });

  it("comes to stay if it is set again soon", () => {
    const { cache } = cacheOf({ maxEntries: 100 });
    fill(cache, ["again", ...numbered("once", 100)]);
    assert.equal(cache.peek(keyOf("again")), undefined);
    fill(cache, ["again", ...numbered("other", 1000)]);
    assert.equal(cache.peek(keyOf("again"))?.name, "again");
  });

  it("must prove itself anew if it is set again much later", () => {
    const { cache } = cacheOf({ maxEntries: 100 });
    fill(cache, ["again", ...numbered("once", 300)]);
    fill(cache, ["again", ...numbered("other", 1000)]);
    assert.equal(cache.peek(keyOf("again")), undefined);
  });

  it("is not a text in use whose answer was written anew", () => {
    const { cache, clock } = cacheOf({ maxEntries: 100 });
    fill(cache, ["popular"]);
    cache.peek(keyOf("popular"));
    clock.advance(1000);
    fill(cache, ["popular", ...numbered("once", 1000)]);
    assert.equal(cache.peek(keyOf("popular"))?.name, "popular");
  });
});
