import assert from "node:assert/strict";
import { type Station, waitingChance, waitQuantileMs } from "../../../benchmarks/plan/queue.js";
import { seeded } from "../../../benchmarks/texts.js";

const near = (value: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not near ${expected}`);

/** The wait that 95 % stay under, of calls that come at random and are served first come first. */
function simulatedP95(
  { servers, callsPerSecond, serviceMs }: Station,
  isExponential: boolean,
): number {
  const random = seeded(1);
  const freeAt = Array.from({ length: servers }, () => 0);
  const waits: number[] = [];
  let nowMs = 0;
  const exponential = (meanMs: number) => -Math.log(1 - random()) * meanMs;
  for (let call = 0; call < 200_000; call++) {
    nowMs += exponential(1000 / callsPerSecond);
    freeAt.sort((one, other) => one - other);
    const startMs = Math.max(nowMs, freeAt[0] ?? 0);
    waits.push(startMs - nowMs);
    freeAt[0] = startMs + (isExponential ? exponential(serviceMs) : serviceMs);
  }
  return waits.sort((one, other) => one - other)[Math.floor(0.95 * waits.length)] ?? 0;
}

describe("the queue's formulas", () => {
  it("give what is known of Erlang's C", () => {
    near(waitingChance(1, 0.5), 0.5, 1e-12);
    near(waitingChance(2, 1), 1 / 3, 1e-12);
    near(waitingChance(10, 8), 0.409, 0.001);
    assert.equal(waitingChance(2, 2), 1);
    assert.equal(waitingChance(1024, 0), 0);
  });

  for (const [isExponential, variation] of [
    [true, 1],
    [false, 0],
  ] as const)
    for (const servers of [1, 2, 8])
      it(`tell the p95 of the wait of ${servers} servers within a tenth, or half a millisecond, of a simulation (variation ${variation})`, () => {
        const station = { servers, callsPerSecond: 80 * servers, serviceMs: 10, variation };
        const simulated = simulatedP95(station, isExponential);
        near(waitQuantileMs(station, 0.95), simulated, Math.max(0.5, simulated / 10));
      }).timeout(20_000);

  it("let nobody wait where hardly anybody comes, and all without end where too many come", () => {
    const station = { servers: 2, callsPerSecond: 1, serviceMs: 10, variation: 1 };
    assert.equal(waitQuantileMs(station, 0.95), 0);
    assert.equal(waitQuantileMs({ ...station, callsPerSecond: 200 }, 0.95), Infinity);
  });
});
