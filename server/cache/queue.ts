/** What an entry of a queue carries for it: none of these is anybody else's business. */
export interface Queued<Entry> {
  readonly bytes: number;
  older: Entry | undefined;
  newer: Entry | undefined;
}

/**
 * First in, first out, and any entry out in between, all in constant time. Not a Map in its insertion order: finding the
 * oldest key of one costs a step for every key deleted before it.
 */
export class Queue<Entry extends Queued<Entry>> {
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #entries = 0;
  #bytes = 0;

  get oldest(): Entry | undefined {
    return this.#oldest;
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `entry` must be in no queue. */
  push(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#entries++;
    this.#bytes += entry.bytes;
  }

  /** `entry` must be in this queue, with as many bytes as when it came. */
  remove(entry: Entry): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    this.#entries--;
    this.#bytes -= entry.bytes;
  }
}
