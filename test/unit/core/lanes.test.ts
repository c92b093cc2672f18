import assert from "node:assert/strict";
import fc from "fast-check";
import { Lanes, type Turn, type Work } from "../../../server/core/lanes.js";

interface Job extends Work {
  readonly ms: number;
}

const job = (lane: string, ms: number, size = ms): Job => ({ lane, size, ms });
const nameOf = (turn: Turn<Job> | undefined) => turn?.job.lane;

/** So many of each lane, and another one as soon as one is done, by `places` threads side by side, until so many milliseconds have passed: what each lane had of them. */
function timesOf(
  lanes: Lanes<Job>,
  kinds: readonly Job[],
  places: number,
  untilMs: number,
  each = 4,
) {
  const times = new Map(kinds.map(({ lane }) => [lane, 0]));
  const running: { readonly turn: Turn<Job>; readonly endMs: number }[] = [];
  for (const kind of kinds) for (let n = 0; n < each; n++) lanes.add({ ...kind });
  for (let nowMs = 0; nowMs < untilMs; ) {
    while (running.length < places) {
      const turn = lanes.take() as Turn<Job>;
      running.push({ turn, endMs: nowMs + turn.job.ms });
    }
    running.sort((one, other) => one.endMs - other.endMs);
    const { turn, endMs } = running.shift() as (typeof running)[number];
    nowMs = endMs;
    turn.ended(turn.job.ms);
    times.set(turn.job.lane, (times.get(turn.job.lane) ?? 0) + turn.job.ms);
    lanes.add({ ...turn.job });
  }
  return times;
}

describe("Lanes", () => {
  let lanes: Lanes<Job>;
  beforeEach(() => {
    lanes = new Lanes(true);
  });

  it("is first come, first served in one lane", () => {
    const jobs = [job("a", 3), job("a", 1), job("a", 2)];
    for (const one of jobs) lanes.add(one);
    assert.equal(lanes.waiting, 3);
    assert.deepEqual(
      jobs.map(() => lanes.take()?.job),
      jobs,
    );
    assert.equal(lanes.take(), undefined);
    assert.equal(lanes.waiting, 0);
  });

  it("expects a job to take what those of its lane took for their size", () => {
    for (const ms of [10, 20, 30]) {
      lanes.add(job("a", ms, 2 * ms));
      lanes.take()?.ended(ms);
    }
    lanes.add(job("a", 0, 50));
    lanes.add(job("b", 0, 50));
    const turns = [lanes.take(), lanes.take()];
    const of = (lane: string) => turns.find((turn) => nameOf(turn) === lane)?.expectedMs;
    assert.ok(Math.abs((of("a") ?? 0) - 25) < 1e-9);
    assert.equal(of("b"), undefined);
  });

  it("gives who comes anew the next turn, and nothing for the time that he was away", () => {
    timesOf(lanes, [job("long", 100)], 1, 10_000);
    assert.equal(nameOf(lanes.take()), "long");
    lanes.add(job("short", 1));
    lanes.add(job("short", 1));
    const first = lanes.take();
    assert.equal(nameOf(first), "short");
    first?.ended(1);
    const next = Array.from({ length: 4 }, () => {
      const turn = lanes.take();
      turn?.ended(turn.job.ms);
      lanes.add(job("short", 60));
      return nameOf(turn);
    });
    assert.deepEqual(new Set(next), new Set(["short", "long"]));
  });

  const beginners = {
    "who comes anew": "new",
    "who has a job under way for long, and wanted no other": "long",
  };
  for (const [who, lane] of Object.entries(beginners)) {
    it(`has ${who} begin where the others are`, () => {
      lanes.add(job("long", 10));
      lanes.take();
      for (let n = 0; n < 50; n++) {
        lanes.add(job("busy", 100));
        lanes.take()?.ended(100);
      }
      for (let n = 0; n < 4; n++) for (const one of [lane, "busy"]) lanes.add(job(one, 100));
      const turns = Array.from({ length: 4 }, () => {
        const turn = lanes.take();
        turn?.ended(100);
        return nameOf(turn);
      });
      assert.deepEqual(turns.toSorted(), ["busy", "busy", lane, lane]);
    });
  }

  it("does not give all places that are free to one lane", () => {
    timesOf(lanes, [job("long", 100), job("short", 5)], 1, 2000);
    const taken = [lanes.take(), lanes.take(), lanes.take()].map(nameOf);
    assert.ok(taken.includes("short") && taken.filter((lane) => lane === "long").length < 2);
  });

  it("is not upset by a job that was held up", () => {
    const kinds = [job("a", 10), job("b", 10)];
    timesOf(lanes, kinds, 1, 1000);
    const held = lanes.take();
    held?.ended(60_000);
    const times = [...timesOf(lanes, kinds, 1, 1000).values()];
    assert.ok(Math.abs((times[0] ?? 0) - (times[1] ?? 0)) < 300, `${times}`);
  });

  it("charges jobs that fail, also where none was ever done, and learns nothing of them", () => {
    const fail = (times: number) =>
      Array.from({ length: times }, () => {
        lanes.add(job("failing", 0, 10));
        lanes.add(job("other", 30));
        const turn = lanes.take();
        turn?.ended(turn.job.lane === "other" ? 30 : undefined);
        return nameOf(turn);
      });
    assert.ok(fail(20).filter((lane) => lane === "other").length >= 4);
    lanes.clear();
    lanes.add(job("failing", 0, 10));
    assert.equal(lanes.take()?.expectedMs, undefined);
  });

  it("gives a lane of which nothing is known no more places than others", () => {
    for (let n = 0; n < 4; n++) for (const lane of ["new", "newer"]) lanes.add(job(lane, 500));
    const taken = [lanes.take(), lanes.take(), lanes.take(), lanes.take()].map(nameOf);
    assert.equal(taken.filter((lane) => lane === "new").length, 2);
  });

  it("begins anew, behind nobody, what was expected to take long and did not", () => {
    lanes.add(job("a", 3000, 1));
    lanes.take()?.ended(3000);
    for (let n = 0; n < 2; n++) lanes.add(job("a", 1, 1));
    for (const turn of [lanes.take(), lanes.take()]) turn?.ended(1);
    for (let n = 0; n < 60; n++) lanes.add(job("a", 1, 1));
    lanes.take()?.ended(1);
    lanes.add(job("b", 1, 1));
    const turns = Array.from({ length: 40 }, () => {
      const turn = lanes.take();
      turn?.ended(1);
      lanes.add(job("b", 1, 1));
      return nameOf(turn);
    });
    assert.ok(turns.includes("a") && turns.includes("b"));
  });

  it("forgets who leaves, and all", () => {
    const [first, second, third] = [job("a", 1), job("b", 1), job("b", 2)];
    for (const one of [first, second, third]) lanes.add(one);
    lanes.remove(second);
    lanes.remove(second);
    lanes.remove(job("c", 1));
    assert.equal(lanes.waiting, 2);
    assert.deepEqual(new Set(lanes.clear()), new Set([first, third]));
    assert.equal(lanes.take(), undefined);
  });

  it("keeps a lane that is in use, and what it has learned of it, though it is to be forgotten", () => {
    lanes.add(job("a", 10));
    lanes.take()?.ended(10);
    lanes.add(job("a", 10));
    lanes.forget("a");
    const turn = lanes.take();
    assert.equal(turn?.expectedMs, 10);
    turn?.ended(10);
    lanes.forget("a");
    lanes.add(job("a", 10));
    assert.equal(lanes.take()?.expectedMs, undefined);
  });

  it("goes with its last job where lanes do not stay", () => {
    lanes = new Lanes(false);
    lanes.add(job("a", 10));
    const turn = lanes.take();
    lanes.add(job("a", 10));
    turn?.ended(10);
    const next = lanes.take();
    assert.equal(next?.expectedMs, 10);
    next?.ended(10);
    const left = job("a", 10);
    lanes.add(left);
    lanes.remove(left);
    lanes.add(job("a", 10));
    assert.equal(lanes.take()?.expectedMs, undefined);
  });

  it("gives lanes that want more than there is even parts, whatever their jobs take", () => {
    const times = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(
        fc.array(times, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 2 }),
        fc.nat({ max: 2 }),
        (each, places, more) => {
          const kinds = each.map((ms, place) => job(`${place}`, ms));
          const had = [...timesOf(new Lanes(true), kinds, places, 100_000, places + more).values()];
          const spread = Math.max(...had) - Math.min(...had);
          // Jobs under way, and the first ones, of which nobody knew what they take.
          assert.ok(spread <= 1200, `${had}`);
        },
      ),
    );
  });
});
