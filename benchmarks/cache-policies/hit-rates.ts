import type { Policy } from "./policy.js";
import { KEYS, SCAN_BEGINS, SCANNED } from "./traffic.js";

/** Hit rates in percent, of the requests that are no scan's. */
export interface HitRates {
  readonly whole: number;
  /** Of the 50,000 requests after the place where a scan begins. */
  readonly window: number;
}

/** From the first request to the last. */
export function hitRates(policy: Policy, requests: Int32Array): HitRates {
  let asked = 0;
  let hits = 0;
  let windowHits = 0;
  for (const key of requests) {
    const isHit = policy.request(key);
    if (key >= KEYS) continue;
    if (isHit) {
      hits++;
      if (asked >= SCAN_BEGINS && asked < SCAN_BEGINS + SCANNED) windowHits++;
    }
    asked++;
  }
  return { whole: (100 * hits) / asked, window: (100 * windowHits) / SCANNED };
}
