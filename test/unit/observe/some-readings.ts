import type { Readings } from "../../../server/observe/gauges.js";

/** Of a process that serves nothing. */
export const NO_READINGS: Readings = {
  backends: () => [],
  models: () => [],
  queues: () => [],
  hitRate: () => undefined,
  memoryBytes: () => 0,
  memoryLimitBytes: 1000,
  cpuPercent: () => 0,
  build: { version: "1.2.3", backend: "embedded" },
};
