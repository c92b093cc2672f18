import type { Clock } from "../../core/clock.js";

const LOOK_MS = 250;
/** As long as a call may take by default: large batches of a slow model, behind those of others, are no sign of anything before. */
const PATIENCE_MS = 30_000;

/** It was taken back: the server, or its model, answers nothing. */
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
  readonly end: AbortController;
}

/**
 * What one server was sent and has not answered: batches and probes. How long a batch takes depends on its tokens, on the model and on what others have sent, so
 * time alone does not tell a server that is gone from one that is busy: it is asked. Time is counted in looks at it, so that what this process sleeps through is
 * not held against the server.
 */
export class InFlight {
  readonly #flights = new Set<Flight>();
  /** With something under way, since anything came back; by model. */
  readonly #quietMs = new Map<string, number>();
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
    const flight: Flight = { model, end: new AbortController() };
    this.#flights.add(flight);
    this.#lookLater();
    try {
      const answer = await send(AbortSignal.any([signal, flight.end.signal]));
      this.#heardMs = this.#clock.now();
      this.#quietMs.delete(model);
      return answer;
    } finally {
      this.#flights.delete(flight);
      if (this.#flights.size === 0) this.#lookNoMore();
    }
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
    if (!this.heardWithin(LOOK_MS)) void this.#askWhetherLive();
    for (const model of new Set([...this.#flights].map((flight) => flight.model)))
      this.#lookAt(model);
    this.#lookLater();
  }

  #lookAt(model: string): void {
    const quietMs = (this.#quietMs.get(model) ?? 0) + LOOK_MS;
    this.#quietMs.set(model, quietMs);
    if (quietMs < PATIENCE_MS) return;
    this.#quietMs.delete(model);
    this.#giveUp((flight) => flight.model === model, `no answer in ${PATIENCE_MS / 1000} s`);
    this.#owner.onStuck(model);
  }

  async #askWhetherLive(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const askedMs = this.#clock.now();
    const isLive = await this.#owner.isLive();
    this.#isAsking = false;
    if (isLive || this.#heardMs >= askedMs) return;
    this.#giveUp(() => true, "it does not answer at all");
    this.#owner.onSilent();
  }

  #giveUp(which: (flight: Flight) => boolean, why: string): void {
    for (const flight of this.#flights) if (which(flight)) flight.end.abort(new GivenUpError(why));
  }
}
