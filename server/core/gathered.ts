import { onAbort, type Signal } from "./abort.js";

/**
 * What comes one by one, as one promise for all of it. As `orAbort` of a `Promise.all`, which make a promise for each item and four more: this is on the path of
 * each text, twice.
 */
export class Gathered<Item> {
  #left: number;
  #stay = () => {};
  readonly #items: Item[];
  readonly #all = Promise.withResolvers<Item[]>();

  /** `count`: of the items, at least one. */
  constructor(count: number) {
    this.#left = count;
    this.#items = new Array<Item>(count);
  }

  /** To be called once for each place. */
  put(place: number, item: Item): void {
    this.#items[place] = item;
    this.#left--;
    if (this.#left > 0) return;
    this.#stay();
    this.#all.resolve(this.#items);
  }

  /** All items, each in its place; or the signal's reason as soon as it fires, after `giveBack`, which must not throw. It has not fired yet. To be called once. */
  orAbort(signal: Signal, giveBack: () => void): Promise<Item[]> {
    const leave = () => {
      giveBack();
      this.#all.reject(signal.reason);
    };
    if (this.#left > 0) this.#stay = onAbort(signal, leave);
    return this.#all.promise;
  }
}
