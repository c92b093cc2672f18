import { lognormalLength, seeded } from "../../../benchmarks/texts.js";
import { Batcher, type BatcherOptions, type RunBatch } from "../../../server/batch/batcher.js";
import { sizeOf } from "../../../server/batch/cost.js";
import { currentCall } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { turn } from "../../support/recorder.js";

type Chance = () => number;

/** Calls of one row each that come at random, however slow answers are. */
export interface Load {
  readonly perSecond: number;
  readonly holder?: string;
}

/** What became of a call, by the simulated clock. */
export interface Ended {
  readonly holder: string | undefined;
  readonly status: "answered" | "refused" | "late";
  readonly tookMs: number;
}

export const SECONDS = 4;
/** Callers leave after it. */
const DEADLINE_MS = 1000;
const OPTIONS: BatcherOptions = {
  limits: { rows: 32, minRows: 8, maxRows: 128, maxPaddedTokens: 1024, maxPaddingRatio: 0.12 },
  policy: "cost",
  concurrency: 2,
  maxInFlight: 4,
  maxQueuedRows: 10_000,
  maxWaitMs: 30_000,
  blames: () => false,
  events: NO_EVENTS,
};

/** A model on two threads that each run one batch at a time, in about half a millisecond and a tenth of one a padded token. */
function modelOf(clock: FakeClock, chance: Chance): RunBatch {
  const freeMs = [0, 0];
  return (rows) => {
    const thread = freeMs.indexOf(Math.min(...freeMs));
    const startMs = Math.max(clock.now(), freeMs[thread] ?? 0);
    const { paddedTokens } = sizeOf(rows.map(({ length }) => length));
    const ranMs = (0.5 + 0.1 * paddedTokens) * (0.8 + 0.4 * chance());
    freeMs[thread] = startMs + ranMs;
    const results = rows.map(() => ({ logits: new Float32Array(3), version: "1" }));
    return new Promise((resolve) => {
      clock.after(startMs + ranMs - clock.now(), () => resolve({ results, ranMs }));
    });
  };
}

/** Each load's times, mixed, in their order. */
function arrivalsOf(loads: readonly Load[], chance: Chance) {
  const arrivals: { readonly atMs: number; readonly holder: string | undefined }[] = [];
  for (const { perSecond, holder } of loads) {
    const gapMs = () => (-Math.log(1 - chance()) * 1000) / perSecond;
    for (let atMs = gapMs(); atMs < SECONDS * 1000; atMs += gapMs())
      arrivals.push({ atMs, holder });
  }
  return arrivals.sort((one, other) => one.atMs - other.atMs);
}

/** Puts the loads on a batcher for SECONDS of a clock that the simulation moves. The same loads, the same answer. */
export async function simulate(loads: readonly Load[]): Promise<readonly Ended[]> {
  const chance = seeded(1);
  const clock = new FakeClock();
  const batcher = new Batcher(modelOf(clock, chance), OPTIONS, clock);
  const ended: Ended[] = [];

  const call = async (holder: string | undefined) => {
    const sinceMs = clock.now();
    const leaving = new AbortController();
    const stay = clock.after(DEADLINE_MS, () => leaving.abort(new Error("it left")));
    const own = { deadlineMs: sinceMs + DEADLINE_MS, traceparent: undefined, holder };
    const rows = [Array<number>(lognormalLength(chance)).fill(0)];
    const [outcome] = await currentCall
      .run(own, () => batcher.submit(rows, leaving.signal))
      .catch((reason: unknown) => [{ status: "rejected" as const, reason }]);
    stay();
    ended.push({ holder, status: statusOf(outcome), tookMs: clock.now() - sinceMs });
  };
  const advanceTo = async (untilMs: number) => {
    while (clock.now() < untilMs) {
      clock.advance(Math.min(1, untilMs - clock.now()));
      await turn();
    }
  };

  for (const { atMs, holder } of arrivalsOf(loads, chance)) {
    await advanceTo(atMs);
    void call(holder);
  }
  await advanceTo(clock.now() + DEADLINE_MS + 1);
  return ended;
}

function statusOf(outcome: PromiseSettledResult<unknown> | undefined): Ended["status"] {
  if (outcome?.status === "fulfilled") return "answered";
  return outcome?.reason instanceof ServiceError ? "refused" : "late";
}
