import assert from "node:assert/strict";
import { hitRates } from "../../../benchmarks/cache-policies/hit-rates.js";
import { Shipped } from "../../../benchmarks/cache-policies/shipped.js";
import { traffic } from "../../../benchmarks/cache-policies/traffic.js";

describe("the hit rate of the memory cache", () => {
  it("is over 70 % on Zipf traffic, and falls by under 5 points while 50,000 texts are seen once", () => {
    const plain = hitRates(new Shipped(10_000), traffic({ skew: 1 }, 1));
    const scanned = hitRates(new Shipped(10_000), traffic({ skew: 1, scan: "mixed" }, 1));
    assert.ok(plain.whole > 70, `${plain.whole} %`);
    assert.ok(plain.whole - scanned.whole < 5, `${scanned.whole} % over the whole run`);
    assert.ok(plain.window - scanned.window < 5, `${scanned.window} % from the scan's begin`);
  }).timeout(30_000);
});
