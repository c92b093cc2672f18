import type { Costs } from "../../../benchmarks/plan/costs.js";
import { type Load, loadOf } from "../../../benchmarks/plan/load.js";

const cost = (value: number) => ({ value, unit: "", by: "" });
const tier = (batch: number, token: number) => ({ batch: cost(batch), token: cost(token) });

/** Round numbers: a text of 20 tokens takes the fast model 0.6 ms, the balanced one 1.2, the accurate one 11. */
export const costs: Costs = {
  machine: "",
  at: "",
  tiers: { fast: tier(100, 25), balanced: tier(200, 50), accurate: tier(1000, 500) },
  texts: {
    unary: cost(200),
    unaryCached: cost(50),
    batch: cost(50),
    batchCached: cost(10),
  },
  alone: cost(2),
  escalated: cost(0.25),
  redisEntry: cost(200),
};

export const someLoad = (given: Readonly<Record<string, string>> = {}): Load =>
  loadOf({ RATE: "1000", TIERS: "fast", ...given });
