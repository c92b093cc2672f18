import assert from "node:assert/strict";
import { type Landing, SingleFlight } from "../../../server/classify/single-flight.js";
import type { Signal } from "../../../server/core/abort.js";
import { FakeClock } from "../../support/fake-clock.js";
import { turn } from "../../support/recorder.js";

const staying = new AbortController().signal;
const left = new Error("the caller left");
const late = new Error("it takes too long");

describe("SingleFlight", () => {
  let clock: FakeClock;
  let flights: SingleFlight<string>;
  let works: {
    places: readonly number[];
    signal: Signal;
    land(...outcomes: string[]): void;
    fail(error: unknown): void;
  }[];
  beforeEach(() => {
    clock = new FakeClock();
    flights = new SingleFlight({ ms: 1000, clock, late: () => late });
    works = [];
  });
  const run = (keys: readonly string[], signal = staying, size = keys.length) =>
    flights.run(keys, size, signal, (places, abandoned) => {
      const { promise, resolve, reject } = Promise.withResolvers<PromiseSettledResult<string>[]>();
      works.push({
        places,
        signal: abandoned,
        land: (...values) =>
          resolve(values.map((value) => ({ status: "fulfilled" as const, value }))),
        fail: reject,
      });
      return promise;
    });
  const values = (landings: readonly Landing<string>[]) =>
    landings.map(({ outcome, joined }) => [
      outcome.status === "fulfilled" ? outcome.value : String(outcome.reason),
      joined,
    ]);

  it("gives work up that takes too long once somebody has left it, whoever still waits for it", async () => {
    const leaving = new AbortController();
    const gone = run(["a"], leaving.signal);
    const running = run(["a"]);
    clock.advance(500);
    assert.equal(clock.pending, 0);
    leaving.abort(late);
    await assert.rejects(gone, late);
    clock.advance(499);
    assert.equal(works[0]?.signal.aborted, false);
    clock.advance(1);
    assert.equal(works[0]?.signal.reason, late);
    works[0]?.fail(late);
    assert.deepEqual(values(await running), [[String(late), true]]);
    const next = run(["a"]);
    works[1]?.land("b");
    assert.deepEqual(values(await next), [["b", false]]);
    assert.equal(clock.pending, 0);
  });

  it("does work for equal keys once, in one call and in several", async () => {
    const first = run(["a", "b", "a"]);
    const second = run(["b", "c"]);
    assert.deepEqual(
      works.map(({ places }) => places),
      [[0, 1], [1]],
    );
    works[0]?.land("A", "B");
    works[1]?.land("C");
    assert.deepEqual(values(await first), [
      ["A", false],
      ["B", false],
      ["A", false],
    ]);
    assert.deepEqual(values(await second), [
      ["B", true],
      ["C", false],
    ]);
    assert.equal(flights.size, 0);
  });

  it("does it anew once it has landed", async () => {
    const first = run(["a"]);
    works[0]?.land("1");
    await first;
    const second = run(["a"]);
    works[1]?.land("2");
    assert.deepEqual(values(await second), [["2", false]]);
  });

  it("goes on while one caller waits, whoever began it", async () => {
    const leaving = new AbortController();
    const first = run(["a"], leaving.signal);
    const second = run(["a"]);
    leaving.abort(left);
    await assert.rejects(first, left);
    assert.equal(works[0]?.signal.aborted, false);
    assert.equal(clock.pending, 1);
    works[0]?.land("A");
    assert.deepEqual(values(await second), [["A", true]]);
    assert.deepEqual([works.length, clock.pending], [1, 0]);
  });

  it("has one timer, however many have left it", async () => {
    const leaving = [new AbortController(), new AbortController()];
    const gone = leaving.map(({ signal }) => run(["a", "b"], signal));
    const staying = run(["a", "b"]);
    for (const one of leaving) one.abort(left);
    for (const call of gone) await assert.rejects(call, left);
    assert.equal(clock.pending, 1);
    works[0]?.fail(new Error("broken"));
    await staying;
    assert.equal(clock.pending, 0);
  });

  it("is given up once the last caller has left, and not a key earlier", async () => {
    const callers = [new AbortController(), new AbortController()];
    const first = run(["a", "b"], callers[0]?.signal);
    const second = run(["b"], callers[1]?.signal);
    callers[0]?.abort(left);
    assert.equal(works[0]?.signal.aborted, false);
    callers[1]?.abort(left);
    assert.equal(works[0]?.signal.aborted, true);
    for (const call of [first, second]) await assert.rejects(call, left);
    works[0]?.fail(new Error("given up"));
    await turn();
    assert.deepEqual([flights.size, clock.pending], [0, 0]);
  });

  it("does not take up a newcomer into work that was given up", async () => {
    const leaving = new AbortController();
    const first = run(["a"], leaving.signal);
    leaving.abort(left);
    await assert.rejects(first, left);
    const second = run(["a"]);
    assert.equal(works.length, 2);
    works[0]?.fail(new Error("given up"));
    works[1]?.land("A");
    assert.deepEqual(values(await second), [["A", false]]);
    assert.equal(flights.size, 0);
  });

  it("tells everybody that it failed, and who of them merely joined", async () => {
    const first = run(["a", "a"]);
    const second = run(["a"]);
    works[0]?.fail("lost");
    const outcome = { status: "rejected", reason: "lost" };
    const own = { outcome, failedWhole: true, joined: false };
    assert.deepEqual(await first, [own, own]);
    assert.deepEqual(await second, [{ ...own, joined: true }]);
  });

  it("does not wait for work that is far larger than the caller's own", async () => {
    const list = run(["a", "b", "c"]);
    const single = run(["b"]);
    const another = run(["b"]);
    assert.deepEqual(
      [flights.has("a", 1), flights.has("a", 2), flights.has("b", 1)],
      [false, true, true],
    );
    works[1]?.land("B");
    assert.deepEqual(values(await single), [["B", false]]);
    assert.deepEqual(values(await another), [["B", true]]);
    assert.equal(works.length, 2);
    works[0]?.land("A", "b", "C");
    assert.deepEqual(
      values(await list).map(([value]) => value),
      ["A", "b", "C"],
    );
    assert.equal(flights.size, 0);
  });

  it("does once what a call has twice, also beside work that is far larger", async () => {
    const list = run(["a", "b", "c", "d", "e"]);
    const twice = run(["b", "b"]);
    assert.deepEqual(works[1]?.places, [0]);
    works[1]?.land("B");
    assert.deepEqual(values(await twice), [
      ["B", false],
      ["B", false],
    ]);
    works[0]?.land("A", "b", "C", "D", "E");
    assert.equal((await list).length, 5);
    assert.equal(flights.size, 0);
  });

  it("gives back what has not landed where a caller leaves between two landings", async () => {
    const leaving = new AbortController();
    const other = run(["a"]);
    const both = run(["a", "b", "b"], leaving.signal);
    works[0]?.land("A");
    await other;
    leaving.abort(left);
    await assert.rejects(both, left);
    assert.deepEqual([works[1]?.signal.aborted, flights.size], [true, 0]);
    works[1]?.land("B");
    await turn();
    assert.equal(clock.pending, 0);
  });

  it("has nothing to do for no keys", async () => {
    assert.deepEqual(await run([]), []);
    assert.equal(works.length, 0);
  });

  it("does nothing for a caller that has left already", async () => {
    await assert.rejects(run(["a"], AbortSignal.abort(left)), left);
    assert.equal(works.length, 0);
  });
});
