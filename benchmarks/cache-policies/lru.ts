import { Queue } from "../../server/cache/queue.js";
import { type Held, held } from "./held.js";
import type { Policy } from "./policy.js";

/** The key that was asked for longest ago makes room. */
export class Lru implements Policy {
  readonly #held = new Map<number, Held>();
  readonly #queue = new Queue<Held>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    const known = this.#held.get(key);
    if (known !== undefined) {
      this.#queue.remove(known);
      this.#queue.push(known);
      return true;
    }
    const { oldest } = this.#queue;
    if (this.#held.size >= this.#capacity && oldest !== undefined) {
      this.#queue.remove(oldest);
      this.#held.delete(oldest.key);
    }
    const entry = held(key);
    this.#held.set(key, entry);
    this.#queue.push(entry);
    return false;
  }
}
