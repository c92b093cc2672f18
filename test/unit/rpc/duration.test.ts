import assert from "node:assert/strict";
import { Duration } from "../../../server/gen/google/protobuf/duration.js";
import { durationOf } from "../../../server/rpc/duration.js";
import { seeded } from "../seeded.js";

describe("durationOf", () => {
  const cases: readonly (readonly [ms: number, seconds: number, nanos: number])[] = [
    [0, 0, 0],
    [0.000001, 0, 1],
    [0.0000004, 0, 0],
    [0.25, 0, 250_000],
    [999, 0, 999_000_000],
    [1000, 1, 0],
    [1500.5, 1, 500_500_000],
    [3_600_000, 3600, 0],
    // Rounded it would be a billion nanoseconds, which the message does not allow.
    [999.9999999, 0, 999_999_999],
  ];
  for (const [ms, seconds, nanos] of cases) {
    it(`is ${seconds} s and ${nanos} ns for ${ms} ms`, () => {
      assert.deepEqual(durationOf(ms), { seconds, nanos });
    });
  }

  it("is what protobuf allows, to the nanosecond, for any time", () => {
    const draw = seeded(1);
    for (let round = 0; round < 1000; round++) {
      const ms = draw(0, 10_000_000_000) / 10 ** draw(0, 9);
      const { seconds, nanos } = Duration.decode(Duration.encode(durationOf(ms)).finish());
      assert.ok(Number.isInteger(nanos) && 0 <= nanos && nanos < 1e9, `${ms} ms`);
      assert.ok(Math.abs(seconds * 1000 + nanos / 1e6 - ms) <= 2e-6, `${ms} ms`);
    }
  });
});
