import { Queue } from "../../server/cache/queue.js";
import { type Held, held } from "./held.js";
import type { Policy } from "./policy.js";

/** SIEVE: a hand walks from old to new, spares once what was used since it last came by, and takes what was not. */
export class Sieve implements Policy {
  readonly #held = new Map<number, Held>();
  readonly #queue = new Queue<Held>();
  readonly #capacity: number;
  #hand: Held | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    const known = this.#held.get(key);
    if (known !== undefined) {
      known.visited = true;
      return true;
    }
    if (this.#held.size >= this.#capacity) this.#evict();
    const entry = held(key);
    this.#held.set(key, entry);
    this.#queue.push(entry);
    return false;
  }

  #evict(): void {
    let victim = this.#hand ?? this.#queue.oldest;
    while (victim?.visited) {
      victim.visited = false;
      victim = victim.newer ?? this.#queue.oldest;
    }
    if (victim === undefined) return;
    this.#hand = victim.newer;
    this.#queue.remove(victim);
    this.#held.delete(victim.key);
  }
}
