/** What is held for a message. */
export class Held {
  #bytes: number;
  readonly #most: number;
  /** Has so many more held for the call, or fewer. False: the call is refused. */
  readonly #change: (bytes: number) => boolean;

  /** `most`: what is held for its answer at most. */
  constructor(bytes: number, most: number, change: (bytes: number) => boolean) {
    this.#bytes = bytes;
    this.#most = most;
    this.#change = change;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False: the call is refused, by this or before. */
  hold(bytes: number): boolean {
    const before = this.#bytes;
    this.#bytes = Math.min(bytes, this.#most);
    return this.#change(this.#bytes - before);
  }
}

/** What is held for a message, at the message itself, and for an answer until it is written: what a WeakMap has is what V8's collector is slow with. */
export const HOLDS = Symbol("holds");
export const OWED = Symbol("owed");
export type Message = object & { [HOLDS]?: Held };
export type Answer = object & { [OWED]?: Held };

/**
 * A service has begun with a message: what is made of it is the service's to bound, but for so many bytes, which its answer may take; they are held until `answeredBy` it is
 * written, or the call is over. False: the call is refused, or over, and nothing need be made of the message; it takes a second until it is over, in which thousands more may be taken up.
 */
export function takenUp(message: Message, bytes = 0): boolean {
  const held = message[HOLDS];
  if (held === undefined || held.hold(bytes)) return true;
  held.hold(0);
  return false;
}

/** The answer to a message: so many bytes are held for it from now on, if no more than before. */
export function answeredBy<Given extends Answer>(
  message: Message,
  answer: Given,
  bytes: number,
): Given {
  const held = message[HOLDS];
  if (held !== undefined && held.bytes > 0) {
    held.hold(Math.min(bytes, held.bytes));
    (answer as Answer)[OWED] = held;
  }
  return answer;
}
