import assert from "node:assert/strict";
import fc from "fast-check";
import { seeded } from "../../../benchmarks/texts.js";
import { FAULT_NAMES, partOf, scenario } from "../../chaos/scenario.js";

const MINUTE = 60_000;

describe("scenario", () => {
  it("is the same again with the same seed", () => {
    assert.deepEqual(scenario(MINUTE, seeded(7)), scenario(MINUTE, seeded(7)));
    assert.notDeepEqual(scenario(MINUTE, seeded(7)), scenario(MINUTE, seeded(8)));
  });

  it("strikes no part again before it was mended, and leaves time for it at the end", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 10 }), (seed, minutes) => {
        const faults = scenario(minutes * MINUTE, seeded(seed));
        const mendedMs = new Map<string, number>();
        let beforeMs = 0;
        for (const { name, atMs, forMs } of faults) {
          assert.ok(atMs >= 5000 && atMs + forMs <= minutes * MINUTE - 12_000);
          assert.ok(atMs >= beforeMs, "not in order");
          assert.ok(atMs >= (mendedMs.get(partOf(name)) ?? 0), `${name} at ${atMs}`);
          beforeMs = atMs;
          mendedMs.set(partOf(name), atMs + forMs);
        }
      }),
    );
  });

  it("has everything happen within ten minutes, about as often", () => {
    for (let seed = 0; seed < 20; seed++) {
      const faults = scenario(10 * MINUTE, seeded(seed));
      const times = FAULT_NAMES.map((name) => faults.filter((one) => one.name === name).length);
      assert.ok(Math.min(...times) >= 8, `${times}`);
      assert.ok(faults.length >= 100, `${faults.length}`);
    }
  });
});
