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

  /** So much more, or less. False: `fits` would have said so. */
  add(owner: Owner, amount: number): boolean {
    const isFit = amount <= 0 || this.fits(owner, amount);
    const own = (this.#byOwner.get(owner) ?? 0) + amount;
    if (own === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, own);
    this.#all += amount;
    return isFit;
  }

  /** Whether so much more may be given. False: there would be more than `most`, and of this owner more than an even part of that; or there would be twice as much. */
  fits(owner: Owner, amount: number): boolean {
    const all = this.#all + amount;
    if (all <= this.most) return true;
    const before = this.#byOwner.get(owner);
    const owners = this.#byOwner.size + (before === undefined ? 1 : 0);
    return ((before ?? 0) + amount) * owners <= this.most && all <= CEILING_TIMES * this.most;
  }
}
