import type { Quota, Reservation } from "./quota.js";

/**
 * A stream keeps to its caller's quota by itself: a text waits until there is enough left for it, and the next one is not read before that, so that HTTP/2 makes
 * the client wait too.
 */
export class Pace {
  #turn: Promise<void> = Promise.resolve();
  readonly #quota: Quota;

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  /** See `Quota.reserveBy`. */
  reserveBy(...args: Parameters<Quota["reserveBy"]>): Promise<Reservation | undefined> {
    const reserved = this.#quota.reserveBy(...args);
    const over = () => {};
    this.#turn = reserved.then(over, over);
    return reserved;
  }

  /** The items, each when the one before it waits no longer. */
  async *read<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
    for await (const item of items) {
      yield item;
      await this.#turn;
    }
  }
}

/** Of a stream of the current call; undefined: it has no quota to keep to, and will not have one. */
export const paceOf = (quota: Quota): Pace | undefined =>
  quota.isEnforced ? new Pace(quota) : undefined;
