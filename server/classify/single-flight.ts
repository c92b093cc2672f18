import { Leaving, type Signal } from "../core/abort.js";
import { Chain, type Link } from "../core/chain.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { Gathered } from "../core/gathered.js";

/** What became of one item. */
interface Landed<Result> {
  readonly outcome: PromiseSettledResult<Result>;
  /** The work failed, and so all of its items. */
  readonly failedWhole: boolean;
}

/** The same for a caller: whether another had begun it. */
export interface Landing<Result> extends Landed<Result> {
  readonly joined: boolean;
}

/** It failed whoever began it, for reasons that may be his own. Texts have faults of their own, and those are the same for everybody. */
export const isAnothersFault = (landing: Landing<unknown> | undefined): boolean =>
  landing?.joined === true &&
  landing.outcome.status === "rejected" &&
  !(
    landing.outcome.reason instanceof ServiceError &&
    landing.outcome.reason.reason.startsWith("TEXT_")
  );

/** Who waits for an item: what he waits for in all, and where in that it has its place. */
interface Waiter<Result> {
  readonly landings: Gathered<Landing<Result>>;
  readonly place: number;
  readonly joined: boolean;
}

/** A key that work is under way for. */
interface Flight<Result> {
  readonly key: string;
  readonly departure: Departure<Result>;
  readonly waiting: Chain<Waiter<Result>>;
}

/** Does the work for items of the keys, in one go: one outcome an item. Its signal fires when nobody waits for any of them any more. Must not throw: it rejects. */
type Work<Result> = (
  places: readonly number[],
  signal: Signal,
) => Promise<readonly PromiseSettledResult<Result>[]>;

/** Of work that its first caller has left: each who waits has a limit of his own, and this is beyond all of them. */
export interface Limit {
  readonly ms: number;
  readonly clock: Clock;
  /** Why it is given up then. */
  readonly late: () => Error;
}

/** One piece of work, for all keys of a call for which none was under way. It lands as a whole. */
class Departure<Result> {
  /** Of all that the call has which began it. */
  readonly size: number;
  readonly flights: Flight<Result>[] = [];
  readonly abandoned = new Leaving();
  #deserted = 0;
  #isOver = false;
  #cancel: (() => void) | undefined;
  readonly #endMs: number;
  readonly #limit: Limit;

  constructor(size: number, limit: Limit) {
    this.size = size;
    this.#limit = limit;
    this.#endMs = limit.clock.now() + limit.ms;
  }

  /** One of several who wait for one of its keys has left. Not before that: a timer costs each text, and who waits has a limit of his own. */
  outlived(): void {
    if (this.#isOver) return;
    const { clock, late } = this.#limit;
    const leftMs = Math.max(0, this.#endMs - clock.now());
    this.#cancel ??= clock.after(leftMs, () => this.abandoned.abort(late()));
  }

  /** Nobody waits for one of its keys any more. */
  deserted(): void {
    this.#deserted++;
    if (this.#deserted === this.flights.length)
      this.abandoned.abort(new Error("nobody waits for the work any more"));
  }

  over(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}

/** Of a caller's own size, what he waits for where an equal key is under way: one short text must not wait for a list of long ones that holds it too. */
const MOST_TIMES = 2;

const failed = (reason: unknown) => ({ status: "rejected" as const, reason });

/**
 * Work for equal keys that is under way at the same time is done once, unless it is far larger than the caller's own. It belongs to all who wait for it: one who leaves, the first one
 * too, takes nothing from the others.
 */
export class SingleFlight<Result> {
  readonly #flights = new Map<string, Flight<Result>>();
  readonly #limit: Limit;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  /** Flights under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** Whether there is work for the key under way that a caller with so much to do would join. */
  has(key: string, size: number): boolean {
    return this.#joinable(key, size) !== undefined;
  }

  /** One landing a key, in their order. `size`: of all there is to do for the keys. Rejects with the signal's reason when this caller leaves. */
  run(
    keys: readonly string[],
    size: number,
    signal: Signal,
    work: Work<Result>,
  ): Promise<Landing<Result>[]> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (keys.length === 0) return Promise.resolve([]);
    const departure = new Departure<Result>(size, this.#limit);
    const places: number[] = [];
    const flights = keys.map((key, place) => {
      // Of equal keys of the call all but the first find the first's.
      const known = this.#joinable(key, size);
      if (known !== undefined) return known;
      const flight = { key, departure, waiting: new Chain<Waiter<Result>>() };
      this.#flights.set(key, flight);
      departure.flights.push(flight);
      places.push(place);
      return flight;
    });
    if (places.length > 0) this.#landAfter(work(places, departure.abandoned), departure);
    return this.#landed(flights, departure, signal);
  }

  #joinable(key: string, size: number): Flight<Result> | undefined {
    const flight = this.#flights.get(key);
    return flight !== undefined && flight.departure.size <= MOST_TIMES * size ? flight : undefined;
  }

  #landed(
    flights: readonly Flight<Result>[],
    own: Departure<Result>,
    signal: Signal,
  ): Promise<Landing<Result>[]> {
    const landings = new Gathered<Landing<Result>>(flights.length);
    const waiters = flights.map((flight, place) =>
      flight.waiting.add({ landings, place, joined: flight.departure !== own }),
    );
    return landings.orAbort(signal, () => {
      for (const [place, flight] of flights.entries())
        this.#leave(flight, waiters[place] as Link<Waiter<Result>>);
    });
  }

  #leave(flight: Flight<Result>, waiter: Link<Waiter<Result>>): void {
    flight.waiting.remove(waiter);
    if (flight.waiting.first !== undefined) {
      flight.departure.outlived();
      return;
    }
    // Work that is given up has nothing for who comes now.
    this.#forget(flight);
    flight.departure.deserted();
  }

  #landAfter(
    working: Promise<readonly PromiseSettledResult<Result>[]>,
    departure: Departure<Result>,
  ): void {
    working.then(
      (outcomes) => {
        const lost = () => failed(new Error("no outcome for the key"));
        this.#land(departure, (index) => ({
          outcome: outcomes[index] ?? lost(),
          failedWhole: false,
        }));
      },
      (reason: unknown) =>
        this.#land(departure, () => ({ outcome: failed(reason), failedWhole: true })),
    );
  }

  #land(departure: Departure<Result>, landedAt: (index: number) => Landed<Result>): void {
    departure.over();
    for (const [index, flight] of departure.flights.entries()) {
      this.#forget(flight);
      const { outcome, failedWhole } = landedAt(index);
      for (let waiter = flight.waiting.first; waiter !== undefined; waiter = waiter.after) {
        const { landings, place, joined } = waiter.value;
        landings.put(place, { outcome, failedWhole, joined });
      }
    }
  }

  /** Unless another one has taken its place. */
  #forget(flight: Flight<Result>): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }
}
