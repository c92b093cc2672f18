import { readFile } from "node:fs/promises";

const SAMPLE_MS = 10_000;

/** Bytes that count more than once in what the system calls resident: for each mapping of the same page, or for each process that has it. */
let sharedBytes = 0;
let sampledMs = Number.NEGATIVE_INFINITY;

/**
 * Bytes that the process takes. What it has mapped several times, as the weights of models for each inference thread, counts once, by a sample of the last ten
 * seconds (Linux's `smaps_rollup`, which takes milliseconds); elsewhere as the system has it.
 */
export function residentBytes(): number {
  const residentNow = process.memoryUsage.rss();
  if (performance.now() - sampledMs > SAMPLE_MS) {
    sampledMs = performance.now();
    void sample().catch(() => {});
  }
  return Math.max(0, residentNow - sharedBytes);
}

async function sample(): Promise<void> {
  const rollup = await readFile("/proc/self/smaps_rollup", "utf8");
  const bytesOf = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]);
  const bytes = bytesOf("Rss") - bytesOf("Pss");
  if (bytes >= 0) sharedBytes = bytes;
}
