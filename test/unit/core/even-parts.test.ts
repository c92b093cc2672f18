import assert from "node:assert/strict";
import { EvenParts } from "../../../server/core/even-parts.js";

describe("EvenParts", () => {
  it("refuses whoever has more than an even part of too much, and nobody while it is not too much", () => {
    const parts = new EvenParts<string>(100);
    assert.ok(parts.add("one", 100));
    assert.ok(!parts.add("one", 1));
    assert.ok(parts.add("other", 10));
    assert.ok(parts.add("third", 33));
    assert.ok(!parts.add("third", 1));
    assert.equal(parts.all, 145);
  });

  it("gives no more than twice as much, however many there are and in whatever order they come", () => {
    const parts = new EvenParts<number>(100);
    for (let owner = 0; owner < 1000; owner++) {
      while (parts.add(owner, 1));
      parts.add(owner, -1);
    }
    assert.equal(parts.all, 200);
  });

  it("forgets who has none any more", () => {
    const parts = new EvenParts<string>(100);
    parts.add("one", 200);
    parts.add("other", 60);
    assert.ok(parts.add("one", -200));
    assert.equal(parts.all, 60);
    assert.ok(parts.add("other", 40));
    assert.ok(!parts.add("other", 1));
  });
});
