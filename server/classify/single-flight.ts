import { Leaving, type Signal } from "../core/abort.js";
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

/** Tells a caller who waits for an item. Must not throw. */
type Land<Result> = (landed: Landed<Result>) => void;

interface Flight<Result> {
  /** Of all that the call has which began it: it lands as a whole. */
  readonly size: number;
  /** Of those who wait for it. */
  readonly waiting: Set<Land<Result>>;
  /** Told when one of several has left. */
  readonly outlived: () => void;
  /** Told when nobody waits for it any more. */
  readonly deserted: () => void;
}

/** Does the work for items of the keys, in one go: one outcome an item. Its signal fires when nobody waits for any of them any more. */
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

/** Of a caller's own size, what he waits for where an equal key is under way: one short text must not wait for a list of long ones that holds it too. */
const MOST_TIMES = 2;

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
    const flight = this.#flights.get(key);
    return flight !== undefined && flight.size <= MOST_TIMES * size;
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
    const own = new Map<string, number>();
    for (const [place, key] of keys.entries()) {
      if (!(this.has(key, size) || own.has(key))) own.set(key, place);
    }
    if (own.size > 0) this.#depart(own, size, work);
    return this.#landed(keys, own, signal);
  }

  #landed(
    keys: readonly string[],
    own: ReadonlyMap<string, number>,
    signal: Signal,
  ): Promise<Landing<Result>[]> {
    const landings = new Gathered<Landing<Result>>(keys.length);
    const leaves = keys.map((key, place) => {
      const flight = this.#flights.get(key) as Flight<Result>;
      const joined = !own.has(key);
      const land = ({ outcome, failedWhole }: Landed<Result>) =>
        landings.put(place, { outcome, failedWhole, joined });
      flight.waiting.add(land);
      return () => this.#leave(key, flight, land);
    });
    return landings.orAbort(signal, () => {
      for (const leave of leaves) leave();
    });
  }

  #leave(key: string, flight: Flight<Result>, land: Land<Result>): void {
    flight.waiting.delete(land);
    if (flight.waiting.size > 0) {
      flight.outlived();
      return;
    }
    // Work that is given up has nothing for who comes now.
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    flight.deserted();
  }

  #depart(own: ReadonlyMap<string, number>, size: number, work: Work<Result>): void {
    const abandoned = new Leaving();
    let left = own.size;
    const deserted = () => {
      left--;
      if (left === 0) abandoned.abort(new Error("nobody waits for the work any more"));
    };
    const { ms, clock, late } = this.#limit;
    const endMs = clock.now() + ms;
    let isOver = false;
    let cancel: (() => void) | undefined;
    // Not before somebody leaves: a timer costs each text, and who waits has a limit of his own.
    const outlived = () => {
      if (isOver) return;
      cancel ??= clock.after(Math.max(0, endMs - clock.now()), () => abandoned.abort(late()));
    };
    const working = work([...own.values()], abandoned);
    const flights = new Map<string, Flight<Result>>();
    for (const key of own.keys()) {
      const flight = { size, waiting: new Set<Land<Result>>(), outlived, deserted };
      flights.set(key, flight);
      this.#flights.set(key, flight);
    }
    const land = (landedAt: (place: number) => Landed<Result>) => {
      isOver = true;
      cancel?.();
      let place = 0;
      for (const [key, flight] of flights) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        const landed = landedAt(place++);
        for (const tell of flight.waiting) tell(landed);
      }
    };
    const failed = (reason: unknown) => ({ status: "rejected" as const, reason });
    const lost = () => failed(new Error("no outcome for the key"));
    working.then(
      (outcomes) => land((place) => ({ outcome: outcomes[place] ?? lost(), failedWhole: false })),
      (reason: unknown) => land(() => ({ outcome: failed(reason), failedWhole: true })),
    );
  }
}
