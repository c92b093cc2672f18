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
}

export interface ProcessEvents {
  /** It serves, for the first time or again. */
  serving(): void;
  /** It ended unasked, and the next one starts after a rest. `fault`: why it says that it cannot start. */
  died(how: string, fault: string | undefined, restMs: number): void;
  /** It was ended: it did not drain in time, or answered nothing for half a minute. */
  cut(why: "undrained" | "stuck"): void;
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
/** From one look at whether it answers to the next, and what it may take to answer. */
const LOOK_MS = 5000;
/** So many in a row without an answer. Looks, not time: after a pause of the whole machine only one is missed. */
const MOST_MISSED = 3;

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
    link?.ask("drain", undefined, { limitMs: DRAIN_ASK_MS }).catch(() => {});
    const cancel = this.#clock.after(limitMs, () => {
      this.#events.cut("undrained");
      this.#forked?.kill();
    });
    await this.#gone.promise;
    cancel();
  }

  /** Ends it at once. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#cancelRest();
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
    } catch (error) {
      this.#ended(`it could not be started: ${messageOf(error)}`);
    }
  }

  #serving(): void {
    if (this.#state !== "starting") return;
    this.#state = "serving";
    this.#servingSinceMs = this.#clock.now();
    this.#events.serving();
    this.#lookAgain(0);
  }

  /** A process that is stuck holds every connection that is dealt out to it. */
  #lookAgain(missed: number): void {
    const link = this.#link;
    this.#cancelLook = this.#clock.after(LOOK_MS, async () => {
      const answers = await link?.ask("reasons", undefined, { limitMs: LOOK_MS }).then(
        () => true,
        () => false,
      );
      if (this.#link !== link || this.#state !== "serving") return;
      if (answers) return this.#lookAgain(0);
      if (missed + 1 < MOST_MISSED) return this.#lookAgain(missed + 1);
      this.#events.cut("stuck");
      this.#forked?.kill();
    });
  }

  #ended(how: string): void {
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
