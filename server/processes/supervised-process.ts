import type { Clock } from "../core/clock.js";
import { messageOf } from "../core/errors.js";
import type { LinkToProcess, PrimaryCalls } from "./calls.js";
import { type Channel, Link } from "./link.js";

/** A process that was started. */
export interface Forked {
  readonly channel: Channel;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  /** Ends it at once. */
  kill(): void;
  /** CPU time that it has taken so far, in milliseconds; undefined where the system does not tell. */
  cpuMs(): number | undefined;
}

export interface ProcessEvents {
  /** It serves, for the first time or again. */
  serving(): void;
  /** It ended unasked, and the next one starts after a rest. `fault`: why it says that it cannot start. */
  died(how: string, fault: string | undefined, restMs: number): void;
  /** It was ended: it did not start or drain in time, or it answered nothing: stopped, or busy for half a minute. */
  cut(why: "unstarted" | "undrained" | "stopped" | "busy"): void;
  report(error: unknown): void;
}

/** `resting`: it has died, and the next one waits. `ending`: it drains, or is gone for good. */
export type ProcessState = "starting" | "serving" | "resting" | "ending";

const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5000;
/** Who has served for so long did not die of its start: the next one rests as little as the first. */
const STEADY_MS = 10_000;
/** The process takes it and goes on by itself. */
const DRAIN_ASK_MS = 5000;
/** Far more than models take to load; on a GPU, where TensorRT builds engines, minutes. */
const START_LIMIT_MS = 600_000;
/** From one look at whether it has answered to the next. */
const LOOK_MS = 1000;
/** So many in a row without an answer, of one that does nothing at all. Looks, not time: after a pause of the whole machine only one is missed. */
const MOST_MISSED = 3;
/** The same of one that is busy, as with a heap snapshot. */
const MOST_MISSED_BUSY = 30;
/** CPU time that is no more than none: Linux counts it in tens of milliseconds. */
const IDLE_MS = 10;
/** It is the looks that count. The most that a timer takes. What others ask, by way of scrapes and probes, must not make it look stuck. */
const AS_LONG_AS_IT_TAKES = { limitMs: 2 ** 31 - 1, isUrgent: true } as const;

/** What the primary answers to it that is not about the process alone. */
type CallsOfAll = Omit<PrimaryCalls, "serving" | "failed">;

/** One of the processes behind the port, replaced when it dies: after a rest, ever longer while it dies at once. */
export class SupervisedProcess {
  #state: ProcessState = "starting";
  #restMs = FIRST_REST_MS;
  #servingSinceMs = Number.POSITIVE_INFINITY;
  /** Why it says that it cannot start. */
  #fault: string | undefined;
  #forked: Forked | undefined;
  #link: LinkToProcess | undefined;
  #cancelRest = () => {};
  #cancelLook = () => {};
  #cancelStart = () => {};
  readonly #gone = Promise.withResolvers<void>();
  readonly number: number;
  readonly #fork: () => Forked;
  readonly #calls: CallsOfAll;
  readonly #clock: Clock;
  readonly #events: ProcessEvents;

  /** Starts it. `number` is counted from 1, and stays with whoever replaces it. */
  constructor(
    number: number,
    fork: () => Forked,
    calls: CallsOfAll,
    clock: Clock,
    events: ProcessEvents,
  ) {
    this.number = number;
    this.#fork = fork;
    this.#calls = calls;
    this.#clock = clock;
    this.#events = events;
    this.#start();
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** To the process, while there is one. */
  get link(): LinkToProcess | undefined {
    return this.#link;
  }

  /** Lets it finish what is under way, `limitMs` at most. What does not serve yet is ended at once. Resolves when it is gone. */
  async drain(limitMs: number): Promise<void> {
    if (this.#state !== "serving") return this.end();
    const link = this.#link;
    this.#cancelLook();
    this.#state = "ending";
    // Who is too busy to take it is ended when the time is up.
    link?.ask("drain", undefined, { limitMs: DRAIN_ASK_MS, isUrgent: true }).catch(() => {});
    const cancel = this.#clock.after(limitMs, () => this.#cut("undrained"));
    await this.#gone.promise;
    cancel();
  }

  /** Ends it at once. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#cancelRest();
    this.#cancelStart();
    this.#cancelLook();
    this.#state = "ending";
    if (this.#forked === undefined) return;
    this.#forked.kill();
    await this.#gone.promise;
  }

  #start(): void {
    this.#state = "starting";
    this.#fault = undefined;
    try {
      const forked = this.#fork();
      this.#forked = forked;
      const ours: PrimaryCalls = {
        ...this.#calls,
        serving: () => this.#serving(),
        failed: (message) => {
          this.#fault = message;
        },
      };
      this.#link = new Link(forked.channel, ours, this.#clock, this.#events.report);
      void forked.ended.then((how) => this.#ended(how));
      this.#cancelStart = this.#clock.after(START_LIMIT_MS, () => this.#cut("unstarted"));
    } catch (error) {
      this.#ended(`it could not be started: ${messageOf(error)}`);
    }
  }

  #serving(): void {
    if (this.#state !== "starting") return;
    this.#cancelStart();
    this.#state = "serving";
    this.#servingSinceMs = this.#clock.now();
    this.#events.serving();
    this.#ask();
  }

  #cut(why: Parameters<ProcessEvents["cut"]>[0]): void {
    this.#events.cut(why);
    this.#forked?.kill();
  }

  /** A process that is stuck holds every connection that is dealt out to it: of one that is stopped callers should know before they give up. */
  #ask(): void {
    const asked = { answered: false };
    const answered = () => {
      asked.answered = true;
    };
    this.#link?.ask("reasons", undefined, AS_LONG_AS_IT_TAKES).then(answered, () => {});
    this.#lookAgain(asked, 0, 0);
  }

  /** `missed` looks have found no answer, the last `idle` of them no work either. */
  #lookAgain(asked: { readonly answered: boolean }, missed: number, idle: number): void {
    const cpuMs = this.#forked?.cpuMs();
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      if (asked.answered) return this.#ask();
      const idleNow = this.#isIdleSince(cpuMs) ? idle + 1 : 0;
      if (idleNow >= MOST_MISSED) return this.#cut("stopped");
      if (missed + 1 >= MOST_MISSED_BUSY) return this.#cut("busy");
      this.#lookAgain(asked, missed + 1, idleNow);
    });
  }

  #isIdleSince(beforeMs: number | undefined): boolean {
    const nowMs = this.#forked?.cpuMs();
    return beforeMs !== undefined && nowMs !== undefined && nowMs - beforeMs <= IDLE_MS;
  }

  #ended(how: string): void {
    this.#cancelStart();
    this.#cancelLook();
    this.#link?.close();
    this.#link = undefined;
    this.#forked = undefined;
    if (this.#state === "ending") {
      this.#gone.resolve();
      return;
    }
    if (this.#clock.now() - this.#servingSinceMs >= STEADY_MS) this.#restMs = FIRST_REST_MS;
    this.#servingSinceMs = Number.POSITIVE_INFINITY;
    this.#state = "resting";
    const restMs = this.#restMs;
    this.#restMs = Math.min(restMs * 2, LONGEST_REST_MS);
    this.#cancelRest = this.#clock.after(restMs, () => this.#start());
    this.#events.died(how, this.#fault, restMs);
  }
}
