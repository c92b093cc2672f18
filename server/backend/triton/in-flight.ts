import type { Clock } from "../../core/clock.js";

const LOOK_MS = 250;
/** Nothing has come back for so long: is the server there at all? */
const QUIET_MS = 500;
/** A large batch of a slow model behind others of its kind takes its time. */
const LEAST_PATIENCE_MS = 10_000;
const MOST_PATIENCE_MS = 60_000;
/** Of what a batch took, and of the patience there was: one slow batch is remembered for some dozens of quick ones. */
const TOOK_SHARE = 2;
const KEPT_SHARE = 0.9;

/** It went unanswered for so long that it was taken back. */
export class GivenUpError extends Error {}

/** Whose batches they are. */
interface Owner {
  /** Whether the server answers what does not queue behind batches. Never rejects. */
  isLive(): Promise<boolean>;
  /** It does not, and nothing came back meanwhile: all that was under way has been given up. */
  onSilent(): void;
  /** The server is there, but its model answers nothing: all that was under way for it has been given up. */
  onStuck(model: string): void;
}

interface Flight {
  readonly model: string;
  readonly startedMs: number;
  readonly end: AbortController;
  waitedMs: number;
}

/** Of one model, as far as it was looked at. */
interface Patience {
  limitMs: number;
  /** With something under way, since anything came back. */
  quietMs: number;
}

/**
 * What one server was sent and has not answered: batches and probes. How long a batch takes depends on its tokens, on the model and on what others have sent, so
 * time alone does not tell a server that is gone from one that is busy: it is asked. Time is counted in looks at it, so that what this process sleeps through is
 * not held against the server.
 */
export class InFlight {
  readonly #flights = new Set<Flight>();
  readonly #patience = new Map<string, Patience>();
  #quietMs = 0;
  #heardMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #cancelLook: (() => void) | undefined;
  readonly #clock: Clock;
  readonly #owner: Owner;

  constructor(clock: Clock, owner: Owner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  get count(): number {
    return this.#flights.size;
  }

  /** Whether anything came back less than `ms` ago. */
  heardWithin(ms: number): boolean {
    return this.#clock.now() - this.#heardMs < ms;
  }

  /** What `send` resolves to. It must reject with its signal's reason when that fires: the caller's, or a GivenUpError. */
  async run<T>(
    model: string,
    signal: AbortSignal,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const end = new AbortController();
    const flight: Flight = { model, startedMs: this.#clock.now(), end, waitedMs: 0 };
    this.#flights.add(flight);
    this.#lookLater();
    try {
      const answer = await send(AbortSignal.any([signal, end.signal]));
      this.#heard(flight);
      return answer;
    } finally {
      this.#flights.delete(flight);
      if (this.#flights.size === 0) this.#lookNoMore();
    }
  }

  /** Of a model that is not asked any more. */
  forget(model: string): void {
    this.#patience.delete(model);
  }

  #heard({ model, startedMs }: Flight): void {
    this.#heardMs = this.#clock.now();
    this.#quietMs = 0;
    const patience = this.#patienceWith(model);
    patience.quietMs = 0;
    const enoughMs = TOOK_SHARE * (this.#heardMs - startedMs);
    patience.limitMs = limited(Math.max(enoughMs, KEPT_SHARE * patience.limitMs));
  }

  #patienceWith(model: string): Patience {
    const patience = this.#patience.get(model) ?? { limitMs: LEAST_PATIENCE_MS, quietMs: 0 };
    this.#patience.set(model, patience);
    return patience;
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#clock.after(LOOK_MS, () => this.#look());
  }

  #lookNoMore(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #look(): void {
    this.#cancelLook = undefined;
    for (const flight of this.#flights) flight.waitedMs += LOOK_MS;
    this.#quietMs += LOOK_MS;
    if (this.#quietMs >= QUIET_MS) void this.#askWhetherLive();
    for (const model of new Set([...this.#flights].map((flight) => flight.model)))
      this.#lookAt(model);
    this.#lookLater();
  }

  #lookAt(model: string): void {
    const patience = this.#patienceWith(model);
    const { limitMs } = patience;
    patience.quietMs += LOOK_MS;
    const isStuck = patience.quietMs >= limitMs;
    // One alone may hang where others come back: behind the name of many servers one can be frozen.
    this.#giveUp(
      (flight) => flight.model === model && (isStuck || flight.waitedMs >= limitMs),
      `no answer in ${limitMs / 1000} s`,
    );
    if (!isStuck) return;
    // Perhaps it is only slow.
    this.#patience.set(model, { limitMs: limited(2 * limitMs), quietMs: 0 });
    this.#owner.onStuck(model);
  }

  async #askWhetherLive(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const isLive = await this.#owner.isLive();
    this.#isAsking = false;
    const cameBack = this.#quietMs < QUIET_MS;
    this.#quietMs = 0;
    if (isLive || cameBack) return;
    this.#giveUp(() => true, "it does not answer at all");
    this.#owner.onSilent();
  }

  #giveUp(which: (flight: Flight) => boolean, why: string): void {
    for (const flight of this.#flights) if (which(flight)) flight.end.abort(new GivenUpError(why));
  }
}

const limited = (ms: number): number => Math.min(MOST_PATIENCE_MS, Math.max(LEAST_PATIENCE_MS, ms));
