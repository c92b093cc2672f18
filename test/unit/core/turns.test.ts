import assert from "node:assert/strict";
import { turns } from "../../../server/core/turns.js";
import { FakeClock } from "../../support/fake-clock.js";

const staying = new AbortController().signal;
const left = new Error("the caller left");
/** As often as the event loop goes round. */
const round = () => new Promise<void>((resume) => setImmediate(resume));

describe("turns", () => {
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  it("has none wait for work of less than ten milliseconds", () => {
    const turn = turns(staying, clock);
    clock.advance(10);
    assert.equal(turn(), undefined);
    clock.advance(1);
    assert.ok(turn() instanceof Promise);
  });

  it("has one go on in each round of the event loop, in the order in which they came", async () => {
    const order: string[] = [];
    const work = async (name: string) => {
      const turn = turns(staying, clock);
      for (let step = 0; step < 2; step++) {
        clock.advance(11);
        await turn();
        order.push(name);
      }
    };
    const all = Promise.all(["a", "b", "c"].map(work));
    for (let rounds = 1; rounds <= 6; rounds++) {
      await round();
      assert.ok(order.length <= rounds, `${order} in ${rounds} rounds`);
    }
    await all;
    assert.deepEqual(order, ["a", "b", "c", "a", "b", "c"]);
  });

  it("ends with the reason of a caller who has left meanwhile", async () => {
    const leaving = new AbortController();
    const turn = turns(leaving.signal, clock);
    clock.advance(11);
    const waited = turn();
    leaving.abort(left);
    await assert.rejects(waited ?? Promise.resolve(), left);
  });
});
