import { lognormalLength, seeded } from "../../../benchmarks/texts.js";
import { Batcher, type BatcherOptions, type RunBatch } from "../../../server/batch/batcher.js";
import { sizeOf } from "../../../server/batch/cost.js";
import { Singles } from "../../../server/batch/singles.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { turn } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";

type Chance = () => number;

/** Calls of one row each that come at random, however slow answers are. */
export interface Load {
  readonly perSecond: number;
  readonly holder?: string;
  /** After which they leave; unset: a second. */
  readonly patienceMs?: number;
}

/** Callers that each send a list without a deadline, as soon as they have the answers to the one before, or when a refusal says that they may. */
export interface Lists {
  readonly callers: number;
  readonly rows: number;
}

/** When the model answers nothing: what it has then, and what comes, it does from the end of it on. */
export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What became of a call, by the simulated clock. */
export interface Ended {
  readonly holder: string;
  readonly rows: number;
  readonly status: "answered" | "refused" | "late";
  /** When it was asked, in milliseconds from the beginning. */
  readonly atMs: number;
  readonly tookMs: number;
}

export const SECONDS = 4;
const PATIENCE_MS = 1000;
const OPTIONS: BatcherOptions = {
  singles: new Singles(),
  limits: {
    rows: 32,
    minRows: 8,
    maxRows: 128,
    maxWork: 1024,
    maxPaddingRatio: 0.12,
    paddingCost: 1,
  },
  policy: "cost",
  concurrency: 2,
  maxInFlight: 4,
  maxQueuedRows: 10_000,
  maxWaitMs: 5000,
  blames: () => false,
  events: NO_EVENTS,
};

/** A model on two threads that each run one batch at a time, in about half a millisecond and a tenth of one a padded token. */
function modelOf(clock: FakeClock, chance: Chance, outage: Outage): RunBatch {
  const freeMs = [0, 0];
  return (rows) => {
    const thread = freeMs.indexOf(Math.min(...freeMs));
    const soonestMs = Math.max(clock.now(), freeMs[thread] ?? 0);
    const isOut = soonestMs >= outage.fromMs && soonestMs < outage.untilMs;
    const startMs = isOut ? outage.untilMs : soonestMs;
    const { work } = sizeOf(
      rows.map(({ length }) => length),
      1,
    );
    const ranMs = (0.5 + 0.1 * work) * (0.8 + 0.4 * chance());
    freeMs[thread] = startMs + ranMs;
    const results = rows.map(() => ({ logits: new Float32Array(3), version: "1" }));
    return new Promise((resolve) => {
      clock.after(startMs + ranMs - clock.now(), () => resolve({ results, ranMs }));
    });
  };
}

/** Each load's times, mixed, in their order. */
function arrivalsOf(loads: readonly Load[], chance: Chance) {
  const arrivals: { atMs: number; holder: string; patienceMs: number }[] = [];
  for (const { perSecond, holder = "", patienceMs = PATIENCE_MS } of loads) {
    const gapMs = () => (-Math.log(1 - chance()) * 1000) / perSecond;
    for (let atMs = gapMs(); atMs < SECONDS * 1000; atMs += gapMs())
      arrivals.push({ atMs, holder, patienceMs });
  }
  return arrivals.sort((one, other) => one.atMs - other.atMs);
}

/** A batcher, and calls of it, on a clock that is moved along. */
class Simulation {
  readonly ended: Ended[] = [];
  readonly chance = seeded(1);
  readonly #clock = new FakeClock();
  readonly #batcher: Batcher;

  constructor(outage: Outage) {
    this.#batcher = new Batcher(modelOf(this.#clock, this.chance, outage), OPTIONS, this.#clock);
  }

  async advanceTo(untilMs: number): Promise<void> {
    while (this.#clock.now() < untilMs) {
      this.#clock.advance(Math.min(1, untilMs - this.#clock.now()));
      await turn();
    }
  }

  /** Asks for so many rows, and leaves after `patienceMs`. Resolves to the milliseconds after which to ask again; undefined: it was not refused. */
  async call(holder: string, rows: number, patienceMs: number): Promise<number | undefined> {
    const atMs = this.#clock.now();
    const leaving = new AbortController();
    const stay = Number.isFinite(patienceMs)
      ? this.#clock.after(patienceMs, () => leaving.abort(new Error("it left")))
      : () => {};
    const deadlineMs = atMs + patienceMs;
    const own = someCall({ signal: leaving.signal, deadlineMs, origin: { holder } });
    const ids = Array.from({ length: rows }, () =>
      Array<number>(lognormalLength(this.chance)).fill(0),
    );
    const [outcome] = await this.#batcher
      .submit(ids, own)
      .catch((reason: unknown) => [{ status: "rejected" as const, reason }]);
    stay();
    const tookMs = this.#clock.now() - atMs;
    this.ended.push({ holder, rows, status: statusOf(outcome), atMs, tookMs });
    const reason: unknown = outcome?.status === "rejected" ? outcome.reason : undefined;
    return reason instanceof ServiceError ? reason.hints.retryAfterMs : undefined;
  }

  /** One caller of lists, for ever. */
  async lists(rows: number): Promise<never> {
    for (;;) {
      const retryMs = await this.call("lists", rows, Number.POSITIVE_INFINITY);
      if (retryMs === undefined) continue;
      await new Promise<void>((resolve) => this.#clock.after(retryMs, resolve));
    }
  }
}

/** Puts the loads on a batcher for SECONDS of a clock that the simulation moves, and lists for so much longer. The same loads, the same answer. */
export async function simulate(
  loads: readonly Load[],
  lists: Lists = { callers: 0, rows: 0 },
  afterSeconds = 1,
  outage: Outage = { fromMs: 0, untilMs: 0 },
): Promise<readonly Ended[]> {
  const simulation = new Simulation(outage);
  for (let caller = 0; caller < lists.callers; caller++) void simulation.lists(lists.rows);
  for (const { atMs, holder, patienceMs } of arrivalsOf(loads, simulation.chance)) {
    await simulation.advanceTo(atMs);
    void simulation.call(holder, 1, patienceMs);
  }
  await simulation.advanceTo((SECONDS + afterSeconds) * 1000 + 1);
  return simulation.ended;
}

function statusOf(outcome: PromiseSettledResult<unknown> | undefined): Ended["status"] {
  if (outcome?.status === "fulfilled") return "answered";
  return outcome?.reason instanceof ServiceError ? "refused" : "late";
}
