import { Worker } from "node:worker_threads";

/** So that each look of the watchdog's thread finds another number. */
const BEAT_MS = 500;
const ENTRY = new URL("./watchdog-thread.js", import.meta.url);

/** What the thread gets. */
export interface WatchdogData {
  /** One number, over a SharedArrayBuffer: another one from look to look while the event loop goes round. */
  readonly beats: Int32Array;
  /** Looks, one a second, without a beat after which the process is stuck. */
  readonly looks: number;
}

/**
 * Ends this process (SIGKILL), with a line on standard error, once its event loop has been stuck for so many seconds, so that whoever supervises it starts
 * it anew: nothing in it could do so by itself. 0: never.
 */
export function watchEventLoop(seconds: number): Disposable {
  if (seconds === 0) return { [Symbol.dispose]: () => {} };
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const beating = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS);
  beating.unref();
  const workerData: WatchdogData = { beats, looks: seconds };
  const thread = new Worker(ENTRY, { workerData, name: "watchdog" });
  thread.unref();
  // Who cannot be watched serves all the same.
  thread.on("error", () => {});
  return {
    [Symbol.dispose]() {
      clearInterval(beating);
      void thread.terminate();
    },
  };
}

/** Told the number of beats at each look, says whether so many looks in a row found no new one. Looks, not time: a process that was stopped for an hour has missed one. */
export function stuckAfter(looks: number): (beats: number) => boolean {
  let seen = Number.NaN;
  let missed = 0;
  return (beats) => {
    missed = beats === seen ? missed + 1 : 0;
    seen = beats;
    return missed >= looks;
  };
}
