import { Queue } from "../../server/cache/queue.js";
import { Frequencies } from "./frequencies.js";
import { type Held, held } from "./held.js";
import type { Policy } from "./policy.js";

const WINDOW_SHARE = 0.01;
const PROTECTED_SHARE = 0.8;

/**
 * W-TinyLFU as it is usually built: a window of 1 % in LRU order before a main part in segmented LRU order, and who leaves the
 * window takes the place of the main part's oldest only when a sketch has counted it more often. The window does not adapt.
 */
export class WTinyLfu implements Policy {
  readonly #held = new Map<number, Held>();
  readonly #frequencies: Frequencies;
  readonly #window = new Queue<Held>();
  readonly #probation = new Queue<Held>();
  readonly #protected = new Queue<Held>();
  readonly #capacity: number;
  readonly #windowMost: number;
  readonly #protectedMost: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#windowMost = Math.max(1, Math.floor(capacity * WINDOW_SHARE));
    this.#protectedMost = Math.floor((capacity - this.#windowMost) * PROTECTED_SHARE);
    this.#frequencies = new Frequencies(capacity);
  }

  request(key: number): boolean {
    this.#frequencies.add(key);
    const known = this.#held.get(key);
    if (known !== undefined) {
      this.#use(known);
      return true;
    }
    const entry = held(key);
    this.#held.set(key, entry);
    this.#move(entry, this.#window);
    const leaving = this.#window.oldest;
    if (this.#window.entries > this.#windowMost && leaving !== undefined) this.#admit(leaving);
    return false;
  }

  #use(entry: Held): void {
    this.#move(entry, entry.queue === this.#window ? this.#window : this.#protected);
    const { oldest, entries } = this.#protected;
    if (entries > this.#protectedMost && oldest !== undefined) this.#move(oldest, this.#probation);
  }

  #admit(candidate: Held): void {
    const victim = this.#probation.oldest ?? this.#protected.oldest;
    if (this.#held.size <= this.#capacity || victim === undefined) {
      this.#move(candidate, this.#probation);
      return;
    }
    const isBetter = this.#frequencies.of(candidate.key) > this.#frequencies.of(victim.key);
    if (isBetter) this.#move(candidate, this.#probation);
    const loser = isBetter ? victim : candidate;
    loser.queue?.remove(loser);
    this.#held.delete(loser.key);
  }

  #move(entry: Held, to: Queue<Held>): void {
    entry.queue?.remove(entry);
    to.push(entry);
    entry.queue = to;
  }
}
