import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Samples, scrape } from "../support/scrape.js";
import type { ServerProcess } from "../support/server-process.js";

/** How a server is. */
export interface Vitals {
  readonly rssBytes: number;
  /** Open files of the process: sockets too. */
  readonly files: number;
  /** Calls under way, and rows that wait. */
  readonly inFlight: number;
  readonly queued: number;
  /** Looks at the event loop that found it late by over a second. */
  readonly lateLooks: number;
}

const LAG = "sentiment_event_loop_lag_seconds";

async function vitalsOf({ child, opsAddress }: ServerProcess): Promise<Vitals> {
  const samples = await scrape(opsAddress);
  const of = (name: string) => {
    const value = samples.get(name);
    if (value === undefined) throw new Error(`the server has no metric ${name}`);
    return value;
  };
  return {
    rssBytes: of("sentiment_memory_usage_bytes"),
    files: (await readdir(`/proc/${child.pid}/fd`)).length,
    inFlight: of("sentiment_requests_in_flight"),
    queued: sumOf(samples, "sentiment_queue_rows"),
    lateLooks: of(`${LAG}_count`) - of(`${LAG}_bucket{le="1"}`),
  };
}

const sumOf = (samples: Samples, name: string): number =>
  [...samples].reduce((sum, [key, value]) => (key.startsWith(`${name}{`) ? sum + value : sum), 0);

/** Connections that come and go beside the fuzzing: the scrape's own. */
const OTHER_FILES = 5;
const APART_MS = 500;

/** Why the server is not as it was before; undefined: it is. `mostGrowth`: of its memory, a share of what it was. */
export function notAsBefore(before: Vitals, after: Vitals, mostGrowth: number): string | undefined {
  const { rssBytes, files, inFlight, queued } = after;
  if (inFlight > 0) return `${inFlight} calls are still under way`;
  if (queued > 0) return `${queued} rows still wait`;
  if (files > before.files + OTHER_FILES) return `${files} open files, ${before.files} before`;
  if (rssBytes > (1 + mostGrowth) * before.rssBytes)
    return `${mebibytes(rssBytes)} resident, ${mebibytes(before.rssBytes)} before`;
  return undefined;
}

export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** Of all looks in so many milliseconds that found it idle, the one with the least memory: what V8 has only not given back yet must not be taken for its need. */
export async function rested(server: ServerProcess, restMs: number): Promise<Vitals> {
  let least = await settled(server, isIdle, restMs);
  for (const untilMs = performance.now() + restMs; performance.now() < untilMs; ) {
    await sleep(APART_MS);
    const now = await vitalsOf(server);
    if (isIdle(now) && now.rssBytes < least.rssBytes) least = now;
  }
  return least;
}

const isIdle = ({ inFlight, queued }: Vitals) => inFlight === 0 && queued === 0;

/** Its vitals once `isWell` takes them, or when the time is up. */
export async function settled(
  server: ServerProcess,
  isWell: (vitals: Vitals) => boolean,
  limitMs: number,
): Promise<Vitals> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const vitals = await vitalsOf(server);
    if (isWell(vitals) || performance.now() > untilMs) return vitals;
    await sleep(APART_MS);
  }
}
