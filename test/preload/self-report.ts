/** Preloaded into a server by NODE_OPTIONS=--import: every second each of its threads writes to a file in the folder SELF_REPORT what only itself knows: `0` is the event loop's. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { threadId } from "node:worker_threads";

export interface SelfReport {
  /** Bytes that V8 uses for objects, of this thread. */
  readonly heapUsed: number;
  /** Bytes of its pages for them. */
  readonly heapTotal: number;
  /** Bytes outside its heap that objects hold, buffers among them. */
  readonly external: number;
  /** Timers, sockets and the like. */
  readonly resources: number;
  /** How late timers were since the last report, in milliseconds. */
  readonly loopP99Ms: number;
}

const EVERY_MS = 1000;
const folder = process.env["SELF_REPORT"];

if (folder !== undefined) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, String(threadId));
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
