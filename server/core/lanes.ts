import { addTo, HELD_UP } from "./sums.js";

/** Where a job waits, and what it costs in something that its time there is about proportional to. */
export interface Work {
  readonly lane: string;
  readonly size: number;
}

/** A job whose turn it is. */
export interface Turn<Job> {
  readonly job: Job;
  /** Milliseconds that it takes, by those of its lane before it; undefined while there was none. */
  readonly expectedMs: number | undefined;
  /** It is done. `ms`: that it took; undefined: it failed. */
  ended(ms?: number): void;
}

/** Charged for a job of which nobody knows what it takes, until it is done; and where it fails. */
const UNKNOWN_MS = 10;
/** A lane's first job that took longer was held up, and says little of what the lane takes. */
const MOST_FIRST_MS = 1000;

class Lane<Job> {
  waiting: Job[] = [];
  underWay = 0;
  /** Milliseconds of the threads' time, on the clock of the lanes: who has least of it is next. */
  spentMs = 0;
  readonly #sums = { size: 0, ms: 0 };

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.underWay === 0;
  }

  expectedMs(size: number): number | undefined {
    const { size: all, ms } = this.#sums;
    return all === 0 ? undefined : (size * ms) / all;
  }

  /** Milliseconds that count of those that a job took. */
  took(size: number, ms: number): number {
    const expectedMs = this.expectedMs(size);
    const mostMs = expectedMs === undefined ? MOST_FIRST_MS : HELD_UP * expectedMs;
    const countedMs = Math.min(ms, mostMs);
    addTo(this.#sums, { size, ms: countedMs });
    return countedMs;
  }
}

/** Who has spent less, or as much, and has fewer under way. */
const isBefore = (one: Lane<unknown>, other: Lane<unknown>): boolean =>
  one.spentMs === other.spentMs ? one.underWay < other.underWay : one.spentMs < other.spentMs;

/**
 * Jobs that wait for threads. As long as jobs wait in several lanes, each lane has an even part of the threads' time, whatever one job takes and however many there are
 * (start-time fair queueing, by the time that jobs took); in a lane first come, first served.
 */
export class Lanes<Job extends Work> {
  readonly #lanes = new Map<string, Lane<Job>>();
  /** What the lane had spent, before its job, that had the last turn. */
  #nowMs = 0;
  readonly #stay: boolean;

  /** `stay`: lanes are kept, with what is known of their jobs, until `forget`. Else one goes with its last job, and as many may come as there are keys. */
  constructor(stay: boolean) {
    this.#stay = stay;
  }

  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.#lanes.values()) sum += waiting.length;
    return sum;
  }

  add(job: Job): void {
    const lane = this.#lanes.get(job.lane) ?? new Lane<Job>();
    this.#lanes.set(job.lane, lane);
    // Also where one of its jobs is under way: it has wanted no other until now.
    if (lane.waiting.length === 0) lane.spentMs = Math.max(lane.spentMs, this.#startMs);
    lane.waiting.push(job);
  }

  /** The job that is next, which is under way from now on; undefined: none waits. */
  take(): Turn<Job> | undefined {
    let next: Lane<Job> | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.waiting.length === 0) continue;
      if (next === undefined || isBefore(lane, next)) next = lane;
    }
    const job = next?.waiting.shift();
    return next && job && this.#begin(next, job);
  }

  /** It waits no longer, if it did. */
  remove(job: Job): void {
    const waiting = this.#lanes.get(job.lane)?.waiting ?? [];
    const place = waiting.indexOf(job);
    if (place >= 0) waiting.splice(place, 1);
    this.#leave(job.lane);
  }

  /** All that waited, and waits no longer. */
  clear(): readonly Job[] {
    return [...this.#lanes].flatMap(([name, lane]) => {
      const jobs = lane.waiting.splice(0);
      this.#leave(name);
      return jobs;
    });
  }

  #leave(name: string): void {
    if (!this.#stay) this.forget(name);
  }

  /** There will be no jobs any more in that lane, unless some are there. */
  forget(name: string): void {
    if (this.#lanes.get(name)?.isIdle) this.#lanes.delete(name);
  }

  /** Where who comes anew begins: time that he did not ask for is not saved up. Nor is he behind those whose last turns took less than was expected. */
  get #startMs(): number {
    const inNeed = [...this.#lanes.values()].filter(({ waiting }) => waiting.length > 0);
    return Math.min(this.#nowMs, ...inNeed.map(({ spentMs }) => spentMs));
  }

  #begin(lane: Lane<Job>, job: Job): Turn<Job> {
    const expectedMs = lane.expectedMs(job.size);
    const chargedMs = expectedMs ?? UNKNOWN_MS;
    this.#nowMs = Math.max(this.#nowMs, lane.spentMs);
    // At once: else one lane would have all places that are free at this moment.
    lane.spentMs += chargedMs;
    lane.underWay++;
    const ended = (ms?: number) => {
      lane.underWay--;
      if (ms !== undefined) lane.spentMs += lane.took(job.size, ms) - chargedMs;
      this.#leave(job.lane);
    };
    return { job, expectedMs, ended };
  }
}
