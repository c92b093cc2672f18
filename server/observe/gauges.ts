import { Gauge, type Registry } from "prom-client";

/** What is asked at each scrape. */
export interface Readings {
  readonly backends: () => Iterable<{ readonly backend: string; readonly up: boolean }>;
  readonly models: () => Iterable<{
    readonly model: string;
    readonly version: string;
    readonly loaded: boolean;
  }>;
  /** What waits for each version; several versions of a model have an entry each. */
  readonly queues: () => Iterable<{
    readonly model: string;
    readonly rows: number;
    readonly tokens: number;
  }>;
  /** Share of texts that were found in a cache lately; undefined: none was looked for. */
  readonly hitRate: () => number | undefined;
  /** Resident memory of the process. */
  readonly memoryBytes: () => number;
  /** Of all processes together. */
  readonly memoryLimitBytes: number;
  /** Of the process, in percent of all CPUs that the server may use. */
  readonly cpuPercent: () => number;
  readonly build: { readonly version: string; readonly backend: string };
}

/** What a process takes of the machine: of all processes together, where there are several. */
export function processGauges(
  registry: Registry,
  { memoryBytes, cpuPercent }: Pick<Readings, "memoryBytes" | "cpuPercent">,
): void {
  const registers = [registry];
  new Gauge({
    name: "sentiment_memory_usage_bytes",
    help: "Resident memory, in bytes",
    aggregator: "sum",
    registers,
    collect() {
      this.set(memoryBytes());
    },
  });
  new Gauge({
    name: "sentiment_cpu_usage_percent",
    help: "CPU time since the last scrape (a second at least), in percent of the CPUs that the server may use: 100 is all of them",
    aggregator: "sum",
    registers,
    collect() {
      this.set(cpuPercent());
    },
  });
}

/** The aggregators are for several processes: what one of them lacks, some calls will meet. */
export function addGauges(registry: Registry, readings: Readings): void {
  processGauges(registry, readings);
  stateGauges(registry, readings);
  queueGauges(registry, readings);
  factGauges(registry, readings);
}

function stateGauges(registry: Registry, { backends, models, hitRate }: Readings): void {
  const registers = [registry];
  new Gauge({
    name: "sentiment_backend_up",
    help: "Whether a backend can run models: 1 yes, 0 no",
    labelNames: ["backend"],
    aggregator: "min",
    registers,
    collect() {
      // One that is gone must not be told of any more.
      this.reset();
      for (const { backend, up } of backends()) this.set({ backend }, Number(up));
    },
  });
  new Gauge({
    name: "sentiment_model_loaded",
    help: "Whether a model is in memory: 1 yes, 0 no",
    labelNames: ["model", "version"],
    aggregator: "min",
    registers,
    collect() {
      this.reset();
      for (const { model, version, loaded } of models())
        this.set({ model, version }, Number(loaded));
    },
  });
  new Gauge({
    name: "sentiment_cache_hit_rate",
    help: "Share of the texts of the last five minutes that were found in a cache; no value while none was looked for",
    aggregator: "average",
    registers,
    collect() {
      this.reset();
      const rate = hitRate();
      if (rate === undefined) this.remove();
      else this.set(rate);
    },
  });
}

function queueGauges(registry: Registry, { queues }: Readings): void {
  const gauge = (name: string, help: string, unit: "rows" | "tokens") =>
    new Gauge({
      name,
      help,
      labelNames: ["model"],
      aggregator: "sum",
      registers: [registry],
      collect() {
        this.reset();
        // Versions of one model add up.
        for (const { model, [unit]: waiting } of queues()) this.inc({ model }, waiting);
      },
    });
  gauge("sentiment_queue_rows", "Rows that wait for a batch", "rows");
  gauge("sentiment_queue_tokens", "Tokens of the rows that wait for a batch", "tokens");
}

/** What does not change while the server runs, and is the same in all its processes. */
function factGauges(registry: Registry, { memoryLimitBytes, build }: Readings): void {
  const registers = [registry];
  new Gauge({
    name: "sentiment_memory_limit_bytes",
    help: "MEMORY_LIMIT, which all processes share, in bytes",
    aggregator: "max",
    registers,
  }).set(memoryLimitBytes);
  new Gauge({
    name: "sentiment_build_info",
    help: "1, with the server's version and its BACKEND",
    labelNames: ["version", "backend"],
    aggregator: "max",
    registers,
  }).set({ ...build }, 1);
}
