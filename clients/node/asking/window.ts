import type { Texts } from "../options.js";
import type { Outcome } from "../sentiment.js";
import type { Answer } from "./answer.js";
import { Bell } from "./bell.js";

/** A text that was read and not yet handed out. */
export interface Slot {
  readonly index: number;
  readonly text: string;
  /** How often it has been asked in vain, by itself. */
  tries: number;
  outcome?: Outcome;
}

/**
 * The texts between the caller's iterable and the caller's loop: read, waiting to be asked, under way, answered. There are never more
 * than `size`, so that a slow server, or a slow loop, is all that an endless iterable meets.
 */
export class Window {
  readonly #size: number;
  readonly #inOrder: boolean;
  #held = 0;
  #unanswered = 0;
  #ended = false;
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;
  #sourceFailure: { readonly error: unknown } | undefined;
  #source: AsyncIterator<string> | Iterator<string> | undefined;
  readonly #waiting: Slot[] = [];
  /** Only where they are handed out in order: what is not yet ready, and what is behind it. */
  readonly #slots: Slot[] = [];
  readonly #ready: Outcome[] = [];
  readonly #room = new Bell();
  readonly #texts = new Bell();
  readonly #outcomes = new Bell();

  constructor(size: number, inOrder: boolean) {
    this.#size = size;
    this.#inOrder = inOrder;
  }

  /** Reads until the iterable ends or `stop` is called. Never rejects: what it throws is thrown once all before it is handed out. */
  async read(texts: Texts): Promise<void> {
    try {
      const source =
        Symbol.asyncIterator in texts ? texts[Symbol.asyncIterator]() : texts[Symbol.iterator]();
      this.#source = source;
      for (let index = 0; await this.#hasRoom(); index++) {
        const { done, value } = await source.next();
        if (done || this.#stopped) break;
        if (typeof value !== "string") throw new TypeError(`text ${index} is no string`);
        this.#add({ index, text: value, tries: 0 });
      }
    } catch (error) {
      this.#sourceFailure = { error };
      this.#closeSource();
    }
    this.#ended = true;
    this.#texts.ring();
    this.#outcomes.ring();
  }

  async #hasRoom(): Promise<boolean> {
    while (this.#held >= this.#size && !this.#stopped) await this.#room.wait();
    return !this.#stopped;
  }

  #add(slot: Slot): void {
    this.#held++;
    this.#unanswered++;
    if (this.#inOrder) this.#slots.push(slot);
    this.#waiting.push(slot);
    this.#texts.ring();
  }

  /**
   * Up to `most` texts that wait to be asked, as soon as there are so many, or one has waited for `lingerMs`. None when all are
   * answered and no more will come, and when the signal has fired, at the next `putBack` or `stop`.
   */
  async take(most: number, lingerMs: number, signal: AbortSignal): Promise<Slot[]> {
    let hasLingered = lingerMs === 0;
    let timer: NodeJS.Timeout | undefined;
    while (!this.#isEnough(most, hasLingered)) {
      if (this.#isOver || signal.aborted) break;
      if (this.#waiting.length > 0)
        timer ??= setTimeout(() => {
          hasLingered = true;
          this.#texts.ring();
        }, lingerMs);
      await this.#texts.wait();
    }
    clearTimeout(timer);
    return signal.aborted || this.#stopped ? [] : this.#waiting.splice(0, most);
  }

  #isEnough(most: number, hasLingered: boolean): boolean {
    const { length } = this.#waiting;
    return length >= most || (length > 0 && (hasLingered || this.#ended));
  }

  get #isOver(): boolean {
    return this.#stopped || (this.#ended && this.#unanswered === 0);
  }

  /** Whether answers are owed: what waits to be asked counts, an iterable or a loop that is waited for does not. */
  get hasUnanswered(): boolean {
    return this.#unanswered > 0;
  }

  /** Whether there is a text to ask, as soon as that is known; false: there will be none. */
  async hasTexts(): Promise<boolean> {
    while (this.#waiting.length === 0 && !this.#isOver) await this.#texts.wait();
    return !this.#isOver;
  }

  /** Texts that were taken and have no answer: they are asked next. */
  putBack(slots: readonly Slot[]): void {
    this.#waiting.unshift(...slots);
    this.#texts.ring();
  }

  settle(slot: Slot, answer: Answer): void {
    const { index, text } = slot;
    slot.outcome = { index, text, ...answer };
    this.#unanswered--;
    if (!this.#inOrder) this.#ready.push(slot.outcome);
    for (let first = this.#slots[0]; first?.outcome; first = this.#slots[0]) {
      this.#ready.push(first.outcome);
      this.#slots.shift();
    }
    this.#outcomes.ring();
    if (this.#isOver) this.#texts.ring();
  }

  /** Nothing is answered any more. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#outcomes.ring();
  }

  /** Reads no further. An iterable that is just being waited for is told so, and not waited for. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#room.ring();
    this.#texts.ring();
    if (!this.#ended) this.#closeSource();
  }

  #closeSource(): void {
    const close = async () => {
      await this.#source?.return?.();
    };
    close().catch(() => {});
  }

  /** What is ready; ends when all is handed out, throws what `fail` was told, or the iterable threw. */
  async *outcomes(): AsyncGenerator<Outcome> {
    for (;;) {
      const outcome = this.#ready.shift();
      if (outcome !== undefined) {
        this.#held--;
        this.#room.ring();
        yield outcome;
      } else if (this.#failure !== undefined) throw this.#failure.error;
      else if (this.#ended && this.#held === 0) break;
      else await this.#outcomes.wait();
    }
    if (this.#sourceFailure !== undefined) throw this.#sourceFailure.error;
  }
}
