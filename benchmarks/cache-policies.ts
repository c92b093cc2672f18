/**
 * Hit rates of ways to choose what a full cache of 10,000 entries lets go, of 1,000,000 requests for 100,000 keys from an empty cache,
 * as a markdown table: median of the seeds, and the least and the most. A scan asks for 50,000 keys once each, half-way through:
 * its requests are never hits, so only the other requests count, and "falls by" is what their hit rate loses against
 * the same requests without the scan.
 *
 *   make bench-cache
 */
import { parseArgs } from "node:util";
import { type HitRates, hitRates } from "./cache-policies/hit-rates.js";
import { Lru } from "./cache-policies/lru.js";
import type { Policy } from "./cache-policies/policy.js";
import { cacheKey, entriesAlone, Shipped } from "./cache-policies/shipped.js";
import { Sieve } from "./cache-policies/sieve.js";
import { type TrafficKind, traffic } from "./cache-policies/traffic.js";
import { WTinyLfu } from "./cache-policies/w-tiny-lfu.js";
import { spread } from "./results.js";

const CAPACITY = 10_000;
const PEEKS = 5_000_000;
const POLICIES: Readonly<Record<string, new (capacity: number) => Policy>> = {
  LRU: Lru,
  SIEVE: Sieve,
  "W-TinyLFU": WTinyLfu,
  "S3-FIFO (shipped)": Shipped,
};
const PLAIN: TrafficKind = { skew: 1 };
const OTHERS: Readonly<Record<string, TrafficKind>> = {
  "Zipf 0.8": { skew: 0.8 },
  "Zipf 1.2": { skew: 1.2 },
  "Zipf 1.0, all ranks new every 200,000 requests": { skew: 1, turnoverEvery: 200_000 },
  "Zipf 1.0, a key in and one out every 100 requests": { skew: 1, driftEvery: 100 },
};

/** By policy, in the order of POLICIES, then by seed. */
function ratesOf(kind: TrafficKind, seeds: number): readonly (readonly HitRates[])[] {
  const rates = Object.keys(POLICIES).map((): HitRates[] => []);
  for (let seed = 1; seed <= seeds; seed++) {
    const requests = traffic(kind, seed);
    for (const [place, Made] of Object.values(POLICIES).entries())
      rates[place]?.push(hitRates(new Made(CAPACITY), requests));
  }
  return rates;
}

type Rates = ReturnType<typeof ratesOf>;

function row(name: string, rates: Rates, part: keyof HitRates, without?: Rates): void {
  const cells = rates.map((ofPolicy, place) => {
    const lost = ofPolicy.map((one, seed) => (without?.[place]?.[seed]?.[part] ?? 0) - one[part]);
    return spread(without === undefined ? ofPolicy.map((one) => one[part]) : lost, 2);
  });
  process.stdout.write(`| ${[name, ...cells].join(" | ")} |\n`);
}

function scanRows(scan: "burst" | "mixed", name: string, plain: Rates, seeds: number): void {
  const rates = ratesOf({ ...PLAIN, scan }, seeds);
  row(`${name}: whole run`, rates, "whole");
  row(`${name}: whole run, falls by`, rates, "whole", plain);
  row(`${name}: the 50,000 requests from its begin`, rates, "window");
  row(`${name}: these, falls by`, rates, "window", plain);
}

/** Nanoseconds of one hit of the cache as shipped, keys in the order of Zipf traffic. */
function hitNs(): number {
  const cache = entriesAlone(CAPACITY);
  const requests = Array.from(traffic(PLAIN, 1).slice(0, CAPACITY), cacheKey);
  cache.set(requests.map((key, place) => [key, place + 1]));
  const startedMs = performance.now();
  for (let peek = 0; peek < PEEKS; peek++) {
    const key = requests[peek % CAPACITY];
    if (key === undefined || cache.peek(key) === undefined)
      throw new Error("a key just set is gone");
  }
  return ((performance.now() - startedMs) * 1e6) / PEEKS;
}

const { values } = parseArgs({ options: { seeds: { type: "string", default: "5" } } });
const seeds = Number(values.seeds);
const names = Object.keys(POLICIES);
process.stdout.write(
  `| hit rate, % | ${names.join(" | ")} |\n|---|${names.map(() => "---|").join("")}\n`,
);
const plain = ratesOf(PLAIN, seeds);
row("Zipf 1.0", plain, "whole");
row("Zipf 1.0: the 50,000 requests from the middle", plain, "window");
scanRows("burst", "with a scan in one go", plain, seeds);
scanRows("mixed", "with a scan between the requests", plain, seeds);
for (const [name, kind] of Object.entries(OTHERS)) row(name, ratesOf(kind, seeds), "whole");
const times = Array.from({ length: 5 }, hitNs);
process.stdout.write(`\na hit as shipped: ${spread(times, 0)} ns\n`);
