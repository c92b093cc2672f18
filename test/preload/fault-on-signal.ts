/** Preloaded into a server by NODE_OPTIONS=--import: at SIGUSR2 that process does what FAULT names, for what cannot be done to it from outside. */
import { isMainThread, type Worker } from "node:worker_threads";

/** As the server calls its threads. */
const INFERENCE = "sentiment-inference";
const threads = new Set<Worker>();

const FAULTS: Readonly<Record<string, () => void>> = {
  /** The inference thread that is oldest ends. */
  thread: () => {
    for (const thread of threads) {
      if (thread.threadName !== INFERENCE) continue;
      void thread.terminate();
      return;
    }
  },
  throw: () => {
    throw new Error("thrown by a test");
  },
  reject: () => {
    void Promise.reject(new Error("rejected by a test"));
  },
  /** Its event loop is stuck, for good. */
  hang: () => {
    for (;;);
  },
};

if (isMainThread) {
  process.on("worker", (thread) => {
    threads.add(thread);
    thread.once("exit", () => threads.delete(thread));
  });
  process.on("SIGUSR2", () => FAULTS[process.env["FAULT"] ?? ""]?.());
}
