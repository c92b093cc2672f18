import assert from "node:assert/strict";
import { Sharing } from "../../../server/batch/sharing.js";

describe("Sharing", () => {
  it("is all of one call's while it is alone", () => {
    const sharing = new Sharing();
    assert.equal(sharing.due("a", 20), 20);
    using _call = sharing.enter("a");
    assert.equal(sharing.due("a", 20), 20);
  });

  it("is even among the calls of one holder", () => {
    const sharing = new Sharing();
    for (let call = 0; call < 5; call++) sharing.enter("a");
    assert.equal(sharing.due("a", 20), 100);
  });

  it("is even among holders, however many calls each has", () => {
    const sharing = new Sharing();
    for (let call = 0; call < 8; call++) sharing.enter("many");
    sharing.enter("one");
    assert.equal(sharing.holders, 2);
    assert.equal(sharing.due("many", 20), 160);
    assert.equal(sharing.due("one", 20), 20);
  });

  it("forgets calls that have ended", () => {
    const sharing = new Sharing();
    const calls = [sharing.enter("a"), sharing.enter("a"), sharing.enter("b")];
    for (const call of calls) call[Symbol.dispose]();
    assert.equal(sharing.holders, 1);
    using _call = sharing.enter("a");
    assert.equal(sharing.due("a", 20), 20);
  });

  it("counts from what has been served, an even part of it each", () => {
    const sharing = new Sharing();
    sharing.served(100, 10);
    assert.equal(sharing.due("a", 20), 120);
    using _one = sharing.enter("a");
    using _other = sharing.enter("b");
    sharing.served(100, 120);
    assert.equal(sharing.dueAfter(5), 155);
  });

  it("goes on to the row that is served at least, and not past the next", () => {
    const sharing = new Sharing();
    sharing.served(10, 100, 300);
    assert.equal(sharing.dueAfter(0), 100);
    sharing.served(500, 300, 310);
    assert.equal(sharing.dueAfter(0), 310);
  });
});
