import { readFile } from "node:fs/promises";

const SAMPLE_MS = 10_000;

/** By the last sample. */
let repeatedBytes = 0;
let sampledMs = Number.NEGATIVE_INFINITY;

/** Bytes that the process takes, by a sample that is ten seconds old, or a little older where nobody has asked for a while: see `residentBytesNow`. */
export function residentBytes(): number {
  if (performance.now() - sampledMs > SAMPLE_MS) void sample();
  return Math.max(0, process.memoryUsage.rss() - repeatedBytes);
}

/**
 * Bytes that the process takes. What it has mapped several times, as the weights of models for each inference thread, and what other processes have as well, is
 * resident each time by the system's count; Linux's `smaps_rollup` has each page once in all, and takes milliseconds. Elsewhere it is what the system says.
 */
export async function residentBytesNow(): Promise<number> {
  await sample();
  return residentBytes();
}

async function sample(): Promise<void> {
  sampledMs = performance.now();
  const rollup = await readFile("/proc/self/smaps_rollup", "utf8").catch(() => "");
  const bytesOf = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1]);
  const bytes = bytesOf("Rss") - bytesOf("Pss");
  if (bytes >= 0) repeatedBytes = bytes;
}
