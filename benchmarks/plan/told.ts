import type { Plan } from "./capacity.js";
import type { Load } from "./load.js";

const rounded = (value: number, digits = 3): string =>
  Number(value.toPrecision(digits)).toLocaleString("en-US", { maximumFractionDigits: 6 });
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(count + 1) / 3)));
  return `${rounded(count / 1000 ** step)} ${units[step]}`;
}

/** The plan, a line a number. */
export function told(load: Load, plan: Plan): string {
  const redis = `${rounded(plan.redis.entries)} answers, ${bytes(plan.redis.bytes)}${load.REDIS === "1" ? "" : " (if they share answers: REDIS=1)"}`;
  const lines: [string, string][] = [
    ["hit rate", percent(plan.hitRate)],
    ["texts for the model", `${rounded(plan.inferredPerSecond)} a second`],
    ["servers", `${plan.replicas} of ${load.CORES} cores`],
    ...(plan.triton === undefined ? [] : [tritonLine(load, plan.triton)]),
    ["cores", String(plan.cores)],
    ["CPU used", `${rounded(plan.cpuCores)} cores, ${percent(plan.utilization)} of all`],
    ["p95 expected", `${rounded(plan.p95Ms)} ms, at most ${load.P95} wanted`],
    ["Redis", redis],
  ];
  return `${lines.map(([name, value]) => `${name.padEnd(20)} ${value}`).join("\n")}\n`;
}

const tritonLine = (
  load: Load,
  { servers, instances }: NonNullable<Plan["triton"]>,
): [string, string] => [
  "Triton servers",
  `${servers} of ${load.CORES} cores, ${instances} instances of each model, of one thread each`,
];
