import { type Call, holderOf } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { repeated } from "../core/remembered.js";
import { type BatchEvents, type ShedReason, tellShed } from "./events.js";
import type { Load } from "./load.js";
import type { Ahead, QueuedRow, RowQueue } from "./row-queue.js";
import type { Sharing } from "./sharing.js";
import { ShortQueue, shortMsFor } from "./short-queue.js";

export interface AdmissionOptions {
  /** Rows that may wait; what comes on top is refused at once, but for holders who have less than an even part of them: up to twice as many. */
  readonly maxQueuedRows: number;
  /** Milliseconds that a call may wait for others by estimate, whatever its deadline; what would wait longer is refused at once. */
  readonly maxWaitMs: number;
  readonly events: BatchEvents;
}

/** Where rows wait, what runs, and among whom the backend is shared. */
export interface Occupancy {
  readonly queue: RowQueue<QueuedRow>;
  readonly load: Load;
  readonly sharing: Sharing;
}

/** Who asks to be let in. */
export interface Newcomer {
  readonly call: Call;
  readonly rows: number;
  /** Of all its rows. */
  readonly tokens: number;
  /** When the last of them is done, as Sharing counts. */
  readonly due: number;
  /** Whether the call has been let in before, with other rows: to refuse it now would waste what was done. */
  readonly isBegun: boolean;
}

/** What a newcomer would wait, by estimate, in milliseconds. */
interface Wait {
  /** Until the last of its rows is answered. */
  readonly allMs: number;
  /** For its own rows, on a backend that has nothing else. */
  readonly ownMs: number;
  /** For what the backend has now. */
  readonly runningMs: number;
  /** For others' rows, also in the queue. What a call has asked for itself, here or before, is no queue that it has met. */
  readonly othersMs: number;
}

/**
 * A batch is the row that is first in turn and its neighbours in length, of which some came later: by the simulation in test/unit/batch a row waits up to
 * half as long again as for those before it. And batches may take longer than they did of late.
 */
const MARGIN = 2;
const LEAST_RETRY_MS = 100;
/** When to try again after a refusal that is not about the one call: too many rows wait, or more is asked than can be answered. */
const BUSY_RETRY_MS = 1000;

/** Lets into the queue what will be answered in time, and throws OVERLOADED for the rest at once. */
export class Admission {
  readonly #occupancy: Occupancy;
  readonly #options: AdmissionOptions;
  readonly #clock: Clock;
  /** Of holders who asked for more than can be answered. */
  readonly #shortQueues = new Map<string, ShortQueue>();

  constructor(occupancy: Occupancy, options: AdmissionOptions, clock: Clock) {
    this.#occupancy = occupancy;
    this.#options = options;
    this.#clock = clock;
  }

  /** Nearly always: there is time enough for all that waits, so that nobody need count what of it goes before. */
  isSure({ call, rows, tokens }: Omit<Newcomer, "due">): boolean {
    const holder = holderOf(call);
    const { queue, load } = this.#occupancy;
    const nowMs = this.#clock.now();
    const mayWaitMs = Math.min(this.#options.maxWaitMs, call.deadlineMs - nowMs);
    const mayQueueMs = this.#mayQueueMs(holder, mayWaitMs, nowMs);
    const isInTime = MARGIN * load.waitMs(queue.tokens, tokens) <= mayQueueMs;
    return isInTime && queue.hasRoomFor(holder, rows);
  }

  /** When its last row is due at the latest, as Sharing counts. Throws OVERLOADED for what is refused. A backend that is idle takes anything: it has nothing better to do. */
  admit(newcomer: Newcomer): number {
    const { queue, load, sharing } = this.#occupancy;
    const { call, rows, tokens, due } = newcomer;
    if (!queue.hasRoomFor(holderOf(call), rows))
      throw this.#refused("queue_full", newcomer, queueFull(queue.size));
    const nowMs = this.#clock.now();
    // Who could not wait for all there is must not be pushed back by those who go before him.
    const untilMs = nowMs + MARGIN * load.waitMs(queue.tokens, tokens);
    const ahead = queue.ahead(call, due, untilMs);
    if (queue.size > 0 || load.batches > 0) this.#check(newcomer, ahead, nowMs);
    // When all is done that its holder has ahead of it, on his even part.
    return sharing.dueAfter(ahead.own + tokens);
  }

  /** Milliseconds that a row would wait behind all there is, by estimate, or would if the queue were not kept short; 0 while unknown. */
  get waitMs(): number {
    const { queue, load } = this.#occupancy;
    const waitMs = load.waitMs(queue.tokens, 0);
    const nowMs = this.#clock.now();
    const unbound = [...this.#shortQueues.values()].map((one) => one.unboundMs(waitMs, nowMs));
    return Math.max(waitMs, ...unbound);
  }

  #check(newcomer: Newcomer, ahead: Ahead, nowMs: number): void {
    const { maxWaitMs } = this.#options;
    const { call, tokens, isBegun } = newcomer;
    const holder = holderOf(call);
    const leftMs = call.deadlineMs - nowMs;
    const { allMs, ownMs, runningMs, othersMs } = this.#waitOf(tokens, ahead);
    const mayWaitMs = Math.min(maxWaitMs, leftMs);
    const queuedMs = Math.max(0, othersMs - runningMs);

    const late = tooLate(othersMs, maxWaitMs) ?? tooLate(ownMs + MARGIN * (allMs - ownMs), leftMs);
    if (late !== undefined) {
      const shortMs = shortMsFor(mayWaitMs);
      const atBestMs = runningMs + shortMs;
      const wouldMakeIt = atBestMs <= maxWaitMs && ownMs + MARGIN * atBestMs <= leftMs;
      if (queuedMs > shortMs && wouldMakeIt && !call.origin.isUnasked)
        this.#shortQueueOf(holder, nowMs).tooLate(mayWaitMs, queuedMs, nowMs);
      throw this.#refused("too_late", newcomer, late);
    }

    const mayQueueMs = isBegun ? mayWaitMs : this.#mayQueueMs(holder, mayWaitMs, nowMs);
    if (queuedMs <= mayQueueMs) return;
    if (!call.origin.isUnasked) this.#shortQueues.get(holder)?.turnedAway(nowMs);
    throw this.#refused("too_late", newcomer, tooMuch(mayQueueMs));
  }

  /** How long a call of the holder that may wait for so long may do so for others' rows in the queue. */
  #mayQueueMs(holder: string, mayWaitMs: number, nowMs: number): number {
    return this.#shortQueues.get(holder)?.mayQueueMs(mayWaitMs, nowMs) ?? mayWaitMs;
  }

  #waitOf(tokens: number, ahead: Ahead): Wait {
    const { load, sharing } = this.#occupancy;
    // Nobody waits longer than for his own rows on his even part, however many the others have.
    const { holders } = sharing;
    const allTokens = Math.min(ahead.all + tokens, (ahead.own + tokens) * holders);
    const allMs = load.waitMs(allTokens, 0);
    const runningMs = load.waitMs(0, 0);
    const ownMs = load.waitMs(0, tokens) - runningMs;
    return { allMs, ownMs, runningMs, othersMs: Math.min(load.waitMs(ahead.others, 0), allMs) };
  }

  #shortQueueOf(holder: string, nowMs: number): ShortQueue {
    const known = this.#shortQueues.get(holder);
    if (known !== undefined) return known;
    for (const [other, short] of this.#shortQueues)
      if (short.isOver(nowMs)) this.#shortQueues.delete(other);
    const short = new ShortQueue();
    this.#shortQueues.set(holder, short);
    return short;
  }

  #refused(reason: ShedReason, { call, rows }: Newcomer, refusal: ServiceError): ServiceError {
    tellShed(this.#options.events, reason, rows, call);
    return refusal;
  }
}

/** For what was admitted and whose turn comes so late that its caller would have left before the answer. */
export const outrun = () =>
  overloaded("The answer would come too late by now: try again later.", LEAST_RETRY_MS);

/** For a call that would wait for longer than it may; a later try is told of when it would not. */
export function tooLate(waitMs: number, mayWaitMs: number): ServiceError | undefined {
  if (waitMs <= mayWaitMs) return undefined;
  const message = `The answer would take about ${seconds(waitMs)} s, and may take ${seconds(mayWaitMs)} s: try again later, or send less at once.`;
  const retryAfterMs = Math.ceil(Math.max(LEAST_RETRY_MS, waitMs - Math.max(0, mayWaitMs)));
  return overloaded(message, retryAfterMs);
}

const tooMuch = repeated((mayQueueMs: number) =>
  overloaded(
    `More is asked than can be answered, and others wait for ${seconds(mayQueueMs)} s already: try again later.`,
    BUSY_RETRY_MS,
  ),
);

const queueFull = (texts: number) =>
  overloaded(`The queue is full (${texts} texts wait): try again later.`, BUSY_RETRY_MS);

const overloaded = (message: string, retryAfterMs: number) =>
  new ServiceError("OVERLOADED", message, { retryAfterMs });

/** To the hundredth: a bound may be 0.15 s. */
const seconds = (ms: number) => Math.round(Math.max(0, ms) / 10) / 100;
