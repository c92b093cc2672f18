import assert from "node:assert/strict";
import fc from "fast-check";
import { leastSquares, type Point, theilSen } from "../../../benchmarks/soak/slope.js";

const line = (count: number, value: number, slope: number): Point[] =>
  Array.from({ length: count }, (_, at) => ({ at, value: value + slope * at }));
const near = (one: number, other: number) =>
  assert.ok(Math.abs(one - other) <= 1e-6 * Math.max(1, Math.abs(other)), `${one}, not ${other}`);

for (const through of [leastSquares, theilSen]) {
  describe(through.name, () => {
    it("finds the line that all points lie on", () => {
      const some = fc.double({ min: -1000, max: 1000, noNaN: true });
      fc.assert(
        fc.property(fc.integer({ min: 2, max: 40 }), some, some, (count, value, slope) => {
          const found = through(line(count, value, slope));
          near(found.value, value);
          near(found.slope, slope);
        }),
      );
    });
  });
}

describe("theilSen", () => {
  it("does not follow a few that stick out, as leastSquares does", () => {
    const points = line(30, 500, 2);
    points[29] = { at: 29, value: 5000 };
    near(theilSen(points).slope, 2);
    assert.ok(leastSquares(points).slope > 10);
  });
});
