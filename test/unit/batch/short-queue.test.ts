import assert from "node:assert/strict";
import { ShortQueue } from "../../../server/batch/short-queue.js";

const SECOND = 1000;

/** More is asked than can be answered, ten times a second, by calls that each may wait for a second. */
class Overload {
  readonly queue = new ShortQueue();
  nowMs = 0;
  /** When the queue was let grow, and was too long again. */
  readonly grewMs: number[] = [];

  goOn(untilMs: number): void {
    for (; this.nowMs < untilMs; this.nowMs += 100) {
      if (this.mayQueueMs(SECOND) < SECOND) {
        this.queue.turnedAway(this.nowMs);
        continue;
      }
      this.grewMs.push(this.nowMs);
      this.queue.tooLate(SECOND, 600, this.nowMs);
    }
  }

  /** Nobody asks for so long. */
  rest(ms: number): void {
    this.nowMs += ms;
  }

  mayQueueMs(hasMs: number): number {
    return this.queue.mayQueueMs(hasMs, this.nowMs);
  }
}

describe("the short queue", () => {
  it("lets calls wait for all the time they have, while none are too late", () => {
    const overload = new Overload();
    for (const hasMs of [-5, 0, 100, SECOND, Number.POSITIVE_INFINITY])
      assert.equal(overload.mayQueueMs(hasMs), hasMs);
    assert.equal(overload.queue.unboundMs(400, 0), 400);
    assert.ok(overload.queue.isOver(0));
  });

  it("lets them wait for 0.15 s once one was too late", () => {
    const overload = new Overload();
    overload.goOn(200);
    assert.equal(overload.mayQueueMs(SECOND), 150);
    assert.equal(overload.mayQueueMs(1900), 150);
    assert.equal(overload.mayQueueMs(50), 50);
    assert.equal(overload.mayQueueMs(-10), -10);
  });

  it("leaves those alone who may wait for much longer than who was too late", () => {
    const overload = new Overload();
    overload.goOn(200);
    assert.equal(overload.mayQueueMs(2100), 2100);
    overload.queue.tooLate(2100, 1200, 200);
    // By what the most patient one has.
    assert.equal(overload.mayQueueMs(2100), 315);
    assert.equal(overload.mayQueueMs(4200), 315);
    assert.equal(overload.mayQueueMs(150), 150);
    assert.equal(overload.mayQueueMs(5000), 5000);
  });

  it("tells how long the queue would be, as long as it is kept short", () => {
    const overload = new Overload();
    overload.goOn(200);
    overload.queue.tooLate(SECOND, 400, 200);
    assert.equal(overload.queue.unboundMs(150, 200), 600);
    assert.equal(overload.queue.unboundMs(700, 200), 700);
    assert.equal(overload.queue.unboundMs(149, 200), 149);
    overload.rest(5 * SECOND);
    assert.equal(overload.queue.unboundMs(150, overload.nowMs), 150);
  });

  it("ends when nobody was refused for three seconds, and begins anew", () => {
    const overload = new Overload();
    overload.goOn(1500);
    overload.rest(2800);
    assert.equal(overload.mayQueueMs(SECOND), 150);
    overload.rest(200);
    assert.equal(overload.mayQueueMs(SECOND), SECOND);
    assert.ok(overload.queue.isOver(overload.nowMs));
    overload.goOn(9600);
    // Not taken for a try that has failed: 5 s again.
    assert.deepEqual(overload.grewMs, [0, 4500, 9500]);
  });

  it("lets the queue grow ever more rarely while that fails, and at least every 20 s", () => {
    const overload = new Overload();
    overload.goOn(80 * SECOND);
    assert.deepEqual(
      overload.grewMs.map((ms) => ms / SECOND),
      [0, 5, 15, 35, 55, 75],
    );
    assert.ok(!overload.queue.isOver(overload.nowMs));
  });

  it("counts from the beginning where the queue was long enough for a while", () => {
    const overload = new Overload();
    overload.goOn(15 * SECOND);
    overload.rest(60 * SECOND);
    assert.ok(overload.queue.isOver(overload.nowMs));
    overload.goOn(81 * SECOND);
    assert.deepEqual(
      overload.grewMs.map((ms) => ms / SECOND),
      [0, 5, 75, 80],
    );
  });
});
