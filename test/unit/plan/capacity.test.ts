import assert from "node:assert/strict";
import { expectedOf, planOf } from "../../../benchmarks/plan/capacity.js";
import { readCosts } from "../../../benchmarks/plan/costs.js";
import { told } from "../../../benchmarks/plan/told.js";
import { costs, someLoad } from "./some-costs.js";

const plan = (given: Readonly<Record<string, string>> = {}) => planOf(someLoad(given), costs);
const near = (value: number, expected: number) =>
  assert.ok(Math.abs(value / expected - 1) < 0.01, `${value} is not near ${expected}`);

describe("a plan", () => {
  it("reckons with the CPU of texts and calls, and takes as many servers as may be busy", () => {
    // 1,000 texts of 0.6 ms for the model and 0.2 beside it.
    near(plan().cpuCores, 0.8);
    assert.equal(plan().replicas, 1);
    assert.equal(plan({ RATE: "2000" }).replicas, 2);
    near(plan({ RATE: "2000" }).utilization, 0.4);
    assert.equal(plan({ RATE: "2000", CORES: "1" }).replicas, 3);
  });

  it("spends more servers where calls are to be quicker", () => {
    const slow = plan({ TIERS: "accurate", RATE: "200", P95: "100" });
    const quick = plan({ TIERS: "accurate", RATE: "200", P95: "26" });
    assert.ok(quick.replicas > slow.replicas, `${quick.replicas} and ${slow.replicas}`);
    assert.ok(quick.p95Ms <= 26 && slow.p95Ms <= 100);
  });

  it("lets fast answer AUTO's texts, and accurate its share of them too", () => {
    near(plan({ TIERS: "auto", RATE: "1" }).cpuCores, 0.0002 + 0.0006 + 0.25 * 0.011);
    near(plan({ TIERS: "fast:3,accurate:1", RATE: "1" }).cpuCores, 0.0002 + 0.00045 + 0.011 / 4);
  });

  it("adds long texts up", () => {
    const mixed = plan({ TOKENS: "20", LONG_TOKENS: "220", LONG_SHARE: "0.5", RATE: "1" });
    near(mixed.cpuCores, 0.0002 + 0.0001 + 0.000025 * 120);
  });

  it("counts what caches answer for little, by the hit rate told or by Zipf's exponent", () => {
    near(plan({ HIT_RATE: "1" }).cpuCores, 0.05);
    near(plan({ HIT_RATE: "0.5" }).cpuCores, 0.425);
    near(plan({ ZIPF: "1" }).hitRate, 0.7355);
    assert.ok(plan({ ZIPF: "1", REDIS: "1" }).hitRate > 0.99);
  });

  it("says what Redis holds: new texts of CACHE_TTL, or the texts there are", () => {
    assert.deepEqual(plan({ TTL: "60" }).redis, { entries: 60_000, bytes: 12_000_000 });
    near(plan({ ZIPF: "1", TEXTS: "5000" }).redis.entries, 5000);
  });

  it("keeps an event loop free: cached calls take servers, however many cores they have", () => {
    assert.equal(plan({ HIT_RATE: "1", RATE: "60000", CORES: "64" }).replicas, 5);
  });

  it("takes less CPU a text for calls of many, and more time a call", () => {
    const [many, one] = [plan({ CALLS: "batch", P95: "1000" }), plan()];
    assert.ok(many.cpuCores < one.cpuCores && many.p95Ms > one.p95Ms);
  });

  it("has Triton do the models' work", () => {
    const { replicas, triton, cores } = plan({ BACKEND: "triton", RATE: "4000" });
    // The model's 2.4 cores, of which 70 % may be busy; 0.8 cores beside it, of which a loop has 60 %.
    assert.deepEqual(
      { replicas, triton, cores },
      { replicas: 2, triton: { servers: 2, instances: 4 }, cores: 8 },
    );
  });

  it("needs no Triton that is busy where all is cached", () => {
    assert.equal(plan({ BACKEND: "triton", HIT_RATE: "1" }).triton?.servers, 1);
  });

  it("expects of one server what it can do, and no end of waiting beyond", () => {
    near(expectedOf(someLoad(), costs, 1).utilization, 0.4);
    assert.equal(expectedOf(someLoad({ RATE: "3000" }), costs, 1).p95Ms, Infinity);
  });

  it("is told in full, with the file that is shipped", async () => {
    const load = someLoad({ BACKEND: "triton", RATE: "2000" });
    const text = told(load, planOf(load, await readCosts()));
    assert.match(text, /^hit rate +0\.0 %\n/);
    assert.match(text, /Triton servers +\d+ of 2 cores, \d+ instances of each model/);
    assert.doesNotMatch(text, /NaN|Infinity|undefined/);
  });
});

describe("a plan that cannot be", () => {
  for (const [given, said] of [
    [{ RATE: "" }, /^RATE: is missing/],
    [{ RATE: "0" }, /^RATE: must be over 0/],
    [{ RATE: "-5" }, /^RATE: must be over 0/],
    [{ RATE: "NaN" }, /^RATE: must be a number/],
    [{ RATE: "lots" }, /^RATE: must be a number \(is "lots"\)/],
    [{ RATE: "Infinity" }, /^RATE: /],
    [{ RATE: "1e300" }, /^RATE: must be at most/],
    [
      { RATE: "1e9", TIERS: "accurate" },
      /^RATE: 1000000000 texts a second would take over 1000000 servers/,
    ],
    [{ P95: "5", TIERS: "accurate" }, /^P95: 5 ms cannot be met: one text alone takes 2\d ms/],
    [{ P95: "5", CALLS: "batch" }, /^P95: 5 ms cannot be met: one call of 100 texts alone takes/],
    [{ P95: "0" }, /^P95: must be over 0/],
    [{ P95: "5", TIERS: "accurate", BACKEND: "triton" }, /^P95: 5 ms cannot be met/],
    [{ HIT_RATE: "2" }, /^HIT_RATE: must be 0 to 1/],
    [{ HIT_RATE: "0.5", ZIPF: "1" }, /^HIT_RATE and ZIPF: set one/],
    [{ TIERS: "best" }, /^TIERS: must name tiers/],
    [{ TIERS: "fast:0" }, /^TIERS: must name tiers/],
    [{ CORES: "0" }, /^CORES: must be at least 1/],
    [{ UTILIZATION: "1" }, /^UTILIZATION: must be at most 0.95/],
    [{ RATE: "0", CORES: "x" }, /^RATE: .*\nCORES: /],
  ] as const)
    it(`says so: ${JSON.stringify(given)}`, () => {
      assert.throws(() => plan(given), { message: said });
    });

  it("is found out at once, whatever was asked for", () => {
    const startedMs = performance.now();
    const manyTexts = { ZIPF: "0.1", TEXTS: "1000000000000" };
    for (const RATE of ["1e-300", "0.001", "2000", "1e6", "999999999"])
      for (const P95 of ["1e-300", "4", "1e9"])
        for (const more of [{}, manyTexts, { CALLS: "batch", CORES: "1024" }])
          planOrFault({ RATE, P95, ...more });
    assert.ok(performance.now() - startedMs < 10_000);
  }).timeout(20_000);
});

function planOrFault(given: Readonly<Record<string, string>>): void {
  try {
    plan(given);
  } catch (error) {
    assert.match(String(error), /^Error: (RATE|P95): /);
  }
}
