/** Bytes that are held for the requests of all connections of a server, and for each. */
export class HeldBytes {
  /** That are held without a question. */
  readonly most: number;
  #all = 0;
  /** Of those that have any. */
  readonly #byConnection = new Map<object, number>();

  constructor(most: number) {
    this.most = most;
  }

  get all(): number {
    return this.#all;
  }

  /** So many more, or fewer. False: there are more than `most`, and of this connection its even part of them at least. */
  add(connection: object, bytes: number): boolean {
    const own = (this.#byConnection.get(connection) ?? 0) + bytes;
    if (own > 0) this.#byConnection.set(connection, own);
    else this.#byConnection.delete(connection);
    this.#all += bytes;
    return bytes <= 0 || this.#all <= this.most || own * this.#byConnection.size < this.#all;
  }
}
