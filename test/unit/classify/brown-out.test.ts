import assert from "node:assert/strict";
import { underPressure } from "../../../server/classify/brown-out.js";
import type { Models } from "../../../server/classify/models.js";
import type { Tier } from "../../../server/core/tiers.js";

/** Models with what is waited for them, in milliseconds. */
const waiting = (waits: Partial<Record<Tier, number>>) =>
  ({
    list: () => Object.entries(waits).map(([tier, ms]) => ({ tier, waitMs: () => ms })),
  }) as unknown as Models;

describe("underPressure", () => {
  const busy = waiting({ fast: 10, balanced: 300, accurate: 600 });

  it("changes nothing while it is off, or nobody waits longer", () => {
    assert.equal(underPressure("balanced", busy, undefined), "balanced");
    assert.equal(underPressure("balanced", busy, 300), "balanced");
    assert.equal(underPressure("auto", busy, 600), "auto");
  });

  it("lets fast answer for balanced, and for the cascade where accurate is waited for", () => {
    assert.equal(underPressure("balanced", busy, 299), "fast");
    assert.equal(underPressure("auto", busy, 599), "fast");
    assert.equal(underPressure("auto", waiting({ fast: 10, accurate: 20 }), 100), "auto");
  });

  it("gives accurate to who asks for it", () => {
    assert.equal(underPressure("accurate", busy, 1), "accurate");
  });

  it("does not go from one queue into a longer one, nor to a tier that is not there", () => {
    assert.equal(underPressure("balanced", waiting({ fast: 400, balanced: 300 }), 100), "balanced");
    assert.equal(underPressure("balanced", waiting({ balanced: 300 }), 100), "balanced");
  });
});
