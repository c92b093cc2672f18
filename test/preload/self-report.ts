/** Preloaded into a server by NODE_OPTIONS=--import: every second it writes to the file SELF_REPORT what only the process itself knows. */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

export interface SelfReport {
  /** Bytes that V8 uses for objects. */
  readonly heapUsed: number;
  /** Bytes of its pages for them, of this thread. */
  readonly heapTotal: number;
  /** Bytes outside its heap that objects hold, buffers among them. */
  readonly external: number;
  /** Timers, sockets and the like. */
  readonly resources: number;
  /** How late timers were since the last report, in milliseconds. */
  readonly loopP99Ms: number;
}

const EVERY_MS = 1000;
const file = process.env["SELF_REPORT"];

if (isMainThread && file !== undefined) {
  const resolution = 10;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  setInterval(() => {
    const { heapUsed, heapTotal, external } = process.memoryUsage();
    const report: SelfReport = {
      heapUsed,
      heapTotal,
      external,
      resources: process.getActiveResourcesInfo().length,
      loopP99Ms: Math.max(0, delay.percentile(99) / 1e6 - resolution),
    };
    delay.reset();
    // At once, so that who reads it finds all of it.
    writeFileSync(`${file}.part`, JSON.stringify(report));
    renameSync(`${file}.part`, file);
  }, EVERY_MS).unref();
}
