import type { Clock } from "../core/clock.js";

/** Of two scrapers right after each other the second is told what the first was: over less time than that a share says nothing. */
const LEAST_MS = 1000;

/** What a process has used since it was last asked, in percent of `cpus` processors: 100 is all of them. `usedMs`: its CPU time so far. */
export function cpuUsage(cpus: number, usedMs: () => number, clock: Clock): () => number {
  let since = { nowMs: clock.now(), usedMs: usedMs() };
  let percent = 0;
  return () => {
    const nowMs = clock.now();
    const tookMs = nowMs - since.nowMs;
    if (tookMs < LEAST_MS) return percent;
    const used = usedMs();
    percent = (100 * (used - since.usedMs)) / (tookMs * cpus);
    since = { nowMs, usedMs: used };
    return percent;
  };
}

/** User and system time of all threads. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
