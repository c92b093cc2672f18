import assert from "node:assert/strict";
import { Sharing } from "../../../server/batch/sharing.js";

describe("Sharing", () => {
  it("is all of one call's while it is alone", () => {
    const sharing = new Sharing();
    assert.equal(sharing.parts("a"), 1);
    using _call = sharing.enter("a");
    assert.equal(sharing.parts("a"), 1);
  });

  it("is even among the calls of one holder", () => {
    const sharing = new Sharing();
    for (let call = 0; call < 5; call++) sharing.enter("a");
    assert.equal(sharing.parts("a"), 5);
  });

  it("is even among holders, however many calls each has", () => {
    const sharing = new Sharing();
    for (let call = 0; call < 8; call++) sharing.enter("many");
    sharing.enter("one");
    assert.equal(sharing.parts("many"), 16);
    assert.equal(sharing.parts("one"), 2);
  });

  it("forgets calls that have ended", () => {
    const sharing = new Sharing();
    const calls = [sharing.enter("a"), sharing.enter("a"), sharing.enter("b")];
    for (const call of calls) call[Symbol.dispose]();
    assert.equal(sharing.parts("a"), 1);
    using _call = sharing.enter("c");
    assert.equal(sharing.parts("c"), 1);
  });
});
