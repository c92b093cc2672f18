import assert from "node:assert/strict";
import { Leaving } from "../../../server/core/abort.js";
import { Gathered } from "../../../server/core/gathered.js";
import { turn } from "../../support/recorder.js";

describe("Gathered", () => {
  const left = new Error("the caller left");
  let signal: Leaving;
  let given: number;
  beforeEach(() => {
    [signal, given] = [new Leaving(), 0];
  });
  const giveBack = () => {
    given++;
  };

  it("is there with the last item, each in its place", async () => {
    const items = new Gathered<string>(3);
    const all = items.orAbort(signal, giveBack);
    items.put(2, "c");
    items.put(0, "a");
    const early = await Promise.race([all, turn()]);
    assert.equal(early, undefined);
    items.put(1, "b");
    assert.deepEqual(await all, ["a", "b", "c"]);
  });

  it("may be there before anybody waits", async () => {
    const items = new Gathered<string>(1);
    items.put(0, "a");
    const all = items.orAbort(signal, giveBack);
    signal.abort(left);
    assert.deepEqual([await all, given], [["a"], 0]);
  });

  it("rejects as soon as the signal fires, having given back, and takes what comes then", async () => {
    const items = new Gathered<string>(1);
    const all = items.orAbort(signal, giveBack);
    signal.abort(left);
    assert.equal(given, 1);
    await assert.rejects(all, left);
    items.put(0, "a");
    assert.equal(given, 1);
  });

  it("gives nothing back once it is there", async () => {
    const items = new Gathered<string>(1);
    const all = items.orAbort(signal, giveBack);
    items.put(0, "a");
    signal.abort(left);
    assert.deepEqual(await all, ["a"]);
    assert.equal(given, 0);
  });
});
