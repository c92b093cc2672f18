/** A thread of its own, since it is the event loop of the first one that may be stuck. */
import { workerData } from "node:worker_threads";
import { lastWords, STANDARD_ERROR } from "./last-words.js";
import { stuckAfter, type WatchdogData } from "./watchdog.js";

const LOOK_MS = 1000;
const { beats, looks } = workerData as WatchdogData;
const isStuck = stuckAfter(looks);

setInterval(() => {
  if (!isStuck(Atomics.load(beats, 0))) return;
  // Standard output may be what the process waits for.
  const msg = `the event loop has been stuck for ${looks} s: the process ends, to be started anew (WATCHDOG_SECONDS)`;
  lastWords(STANDARD_ERROR, { msg });
  // No signal that would leave a core dump, with users' texts in it.
  process.kill(process.pid, "SIGKILL");
}, LOOK_MS);
