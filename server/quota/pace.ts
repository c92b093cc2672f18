import type { Call } from "../core/call.js";
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

  /** See `Quota.reserveInTime`. */
  reserve(...args: Parameters<Quota["reserve"]>): Promise<Reservation | undefined> {
    const reserved = this.#quota.reserveInTime(...args);
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

/** Of a stream; undefined: it has no quota to keep to, and will not have one. */
export const paceOf = (quota: Quota, stream: Call): Pace | undefined =>
  quota.isEnforced(stream) ? new Pace(quota) : undefined;
