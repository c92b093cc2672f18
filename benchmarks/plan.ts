/**
 * How many servers, cores, Triton instances and how much Redis a load takes, by formulas (docs/capacity.md) and by what things cost on the machine that
 * benchmarks/plan/costs.json was measured on.
 *
 *   make plan RATE=2000 TIERS=fast:0.8,auto:0.2 ZIPF=1 P95=50
 */
import { planOf } from "./plan/capacity.js";
import { readCosts } from "./plan/costs.js";
import { LOAD_NAMES, loadOf, PlanError } from "./plan/load.js";
import { told } from "./plan/told.js";

try {
  const given = Object.fromEntries(LOAD_NAMES.map((name) => [name, process.env[name]]));
  const load = loadOf(given);
  process.stdout.write(told(load, planOf(load, await readCosts())));
} catch (error) {
  if (!(error instanceof PlanError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
