import { atRate, quantile } from "../../test/support/steady-load.js";
import { memoryOf } from "./process-tree.js";
import type { Served } from "./served.js";

export const CALLERS = 32;
export const ROWS = 32;
export const BATCH_CALLERS = 4;
/** Of its own unary rate, in the open loop. */
export const SHARE = 0.7;
const WARM_UP_SECONDS = 3;

export interface Figures {
  /** Texts a second. */
  readonly unary: number;
  readonly batch: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly megabytes: number;
  /** CPU time of the client for a unary call. */
  readonly clientUs: number;
}

/** Texts with the label that each must get; undefined: the model is in two minds, and any label will do. */
export type Known = ReadonlyMap<string, string | undefined>;

export async function measure(served: Served, known: Known, seconds: number): Promise<Figures> {
  const texts = [...known.keys()];
  const one = async (place: number) => {
    const text = texts[place % texts.length] ?? "";
    expect(known, [text], [await served.ask(text)]);
  };
  const batches = Math.floor(texts.length / ROWS);
  const many = async (place: number) => {
    const first = ROWS * (place % batches);
    const some = texts.slice(first, first + ROWS);
    expect(known, some, await served.askMany(some));
  };
  await closedLoop(CALLERS, WARM_UP_SECONDS, one);
  await closedLoop(BATCH_CALLERS, WARM_UP_SECONDS, many);
  const before = process.cpuUsage();
  const unary = await closedLoop(CALLERS, seconds, one);
  const spent = process.cpuUsage(before);
  const batch = await closedLoop(BATCH_CALLERS, seconds, many);
  const load = { callsPerSecond: SHARE * unary.perSecond, seconds };
  const tookMs = await atRate(load, async (place) => {
    const startedMs = performance.now();
    await one(place);
    return performance.now() - startedMs;
  });
  return {
    unary: unary.perSecond,
    batch: batch.perSecond * ROWS,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    megabytes: memoryOf(served.pid),
    clientUs: (spent.user + spent.system) / unary.calls,
  };
}

/** So many callers, each with its next call when it has the answer to the last, for so long. */
async function closedLoop(
  callers: number,
  seconds: number,
  call: (place: number) => Promise<void>,
): Promise<{ readonly calls: number; readonly perSecond: number }> {
  let calls = 0;
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const caller = async () => {
    while (performance.now() < endMs) await call(calls++);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { calls, perSecond: (calls * 1000) / (performance.now() - startedMs) };
}

function expect(known: Known, texts: readonly string[], labels: readonly string[]): void {
  for (const [place, text] of texts.entries()) {
    const label = labels[place] ?? "none";
    const right = known.get(text);
    const fine = right === undefined ? label !== "none" : label === right;
    if (!fine) throw new Error(`"${text}" is ${right ?? "something"}, not ${label}`);
  }
}
