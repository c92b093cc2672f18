import { Counter, Gauge } from "prom-client";
import { processGauges, type Readings } from "./gauges.js";
import { createRegistry } from "./metrics.js";

/** What the primary of several processes tells as it happens. */
interface ProcessMetrics {
  readonly died: () => void;
  /** One process that was left out of a scrape. */
  readonly late: () => void;
}

/** The primary's own metrics, to be merged with those of the processes. `states`: of each process. */
export function processMetrics(
  states: () => Iterable<string>,
  uses: Pick<Readings, "memoryBytes" | "cpuPercent">,
) {
  const registry = createRegistry();
  const registers = [registry];
  processGauges(registry, uses);
  new Gauge({
    name: "sentiment_processes",
    help: "Server processes behind the port, by what they do: starting, serving, resting (it died, the next one waits), ending",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      for (const state of ["starting", "serving", "resting", "ending"]) this.set({ state }, 0);
      for (const state of states()) this.inc({ state });
    },
  });
  const deaths = new Counter({
    name: "sentiment_process_deaths_total",
    help: "Times that a server process ended unasked",
    registers,
  });
  const late = new Counter({
    name: "sentiment_process_late_total",
    help: "Times that a server process did not answer a scrape in time: what it counted since the last one is missing there, and its gauges",
    registers,
  });
  const metrics: ProcessMetrics = { died: () => deaths.inc(), late: () => late.inc() };
  return { registry, metrics };
}
