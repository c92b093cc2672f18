/** Of what is given without a question, so much more is given to those who have less than an even part. */
const CEILING_TIMES = 2;

/** What is held of something that there is not without end, by all and by each. */
export class EvenParts<Owner> {
  /** That is given without a question. */
  readonly most: number;
  #all = 0;
  /** Of those that have any. */
  readonly #byOwner = new Map<Owner, number>();

  constructor(most: number) {
    this.most = most;
  }

  get all(): number {
    return this.#all;
  }

  /** So much more, or less. False: there is more than `most`, and this owner has more than an even part of that; or there is twice as much. */
  add(owner: Owner, amount: number): boolean {
    const own = (this.#byOwner.get(owner) ?? 0) + amount;
    if (own === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, own);
    this.#all += amount;
    if (amount <= 0 || this.#all <= this.most) return true;
    return own * this.#byOwner.size <= this.most && this.#all <= CEILING_TIMES * this.most;
  }
}
