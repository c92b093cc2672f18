/** A member of a chain. */
export interface Link<Value> {
  readonly value: Value;
  /** undefined: it is the first. */
  before: Link<Value> | undefined;
  /** undefined: it is the last. */
  after: Link<Value> | undefined;
  isIn: boolean;
}

/**
 * In the order in which they came, and each out in constant time, however many there are; of values that may be in several, unlike cache/queue.ts. A Set makes a table for
 * its first member, and a smaller one when that leaves: too much for what each text has several of, mostly with one member.
 */
export class Chain<Value> {
  #first: Link<Value> | undefined;
  #last: Link<Value> | undefined;

  get first(): Link<Value> | undefined {
    return this.#first;
  }

  add(value: Value): Link<Value> {
    const link: Link<Value> = { value, before: this.#last, after: undefined, isIn: true };
    if (this.#last === undefined) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
    return link;
  }

  /** A member of this chain, or one that was. */
  remove(link: Link<Value>): void {
    if (!link.isIn) return;
    link.isIn = false;
    if (link.before === undefined) this.#first = link.after;
    else link.before.after = link.after;
    if (link.after === undefined) this.#last = link.before;
    else link.after.before = link.before;
    // One that is kept must not keep those that came after it.
    [link.before, link.after] = [undefined, undefined];
  }
}
