import { type Campaign, campaign } from "./campaign.js";
import { Canary, type Sung } from "./canary.js";
import type { FuzzedServer } from "./fuzzed-server.js";
import type { Report } from "./report.js";
import { notAsBefore, rested, settled, type Vitals } from "./vitals.js";

/** What came of a campaign: of its cases, of who called meanwhile, of the server. */
export interface Siege {
  readonly report: Report;
  readonly canary: Sung;
  readonly before: Vitals;
  readonly after: Vitals;
  readonly tookMs: number;
  /** All that must not be. */
  readonly faults: readonly string[];
}

export type SiegePlan = Pick<Campaign, "seed" | "first" | "calls" | "kinds"> & {
  /** Cases of another seed before it, so that what a server takes once and keeps is not taken for a leak. */
  readonly warmUp: number;
  /** Milliseconds for the server to be as it was before. */
  readonly restMs: number;
  /** Share of its memory that it may have taken on by then. */
  readonly mostGrowth: number;
};

export async function besiege(
  { server, keys, canaryKey, faults }: FuzzedServer,
  { warmUp, restMs, mostGrowth, ...plan }: SiegePlan,
): Promise<Siege> {
  const isOver = () => server.child.exitCode !== null || server.child.signalCode !== null;
  const target = { address: server.address, keys, isOver };
  const canary = await Canary.hatch(server.address, canaryKey);
  const warm = await campaign({ ...target, ...plan, seed: plan.seed + 1, calls: warmUp });
  const before = await rested(server, restMs / 3);
  const singing = canary.sing();
  const startedMs = performance.now();
  const report = await campaign({ ...target, ...plan });
  const tookMs = performance.now() - startedMs;
  canary.silence();
  const sung = await singing;
  const leftIn = (now: Vitals) => notAsBefore(before, now, mostGrowth);
  const hasEnded = isOver();
  const after = hasEnded
    ? before
    : await settled(server, (now) => leftIn(now) === undefined, restMs);
  const left = leftIn(after);
  const all = [
    ...warm.faults.map(({ place, kind, fault }) => `warm-up, case ${place} (${kind}): ${fault}`),
    ...report.faults.map(({ place, kind, fault }) => `case ${place} (${kind}): ${fault}`),
    ...sung.faults.map((fault) => `canary: ${fault}`),
    ...faults().map((line) => `log: ${line}`),
    ...(left === undefined ? [] : [`afterwards: ${left}`]),
    ...(hasEnded ? [`the server has ended after ${report.calls} cases`] : []),
  ];
  return { report, canary: sung, before, after, tookMs, faults: all };
}
