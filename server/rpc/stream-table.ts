import type { Http2Session, ServerHttp2Stream } from "node:http2";

/** A power of two, as all its sizes are. */
const FIRST_SIZE = 64;
/** No stream of a client has this id. */
const FREE = 0;

/**
 * The streams of a session by their ids, in place of Node's own Map. V8 (13.6) makes a Map a new table whenever as many entries have come and gone as the old one
 * had room for. What it leaves behind is garbage of the old generation, where the session is, and holds the streams that were open then: so most streams outlived
 * the minor collections, each with all that its call had made, were copied twice, and were freed by the next major one only.
 */
export class StreamTable {
  #size = 0;
  /** Open addressing: a stream stands at the place of its id, or at the next one that was free. Ids count up, so it mostly is its own. */
  #ids = new Int32Array(FIRST_SIZE);
  #streams = vacant(FIRST_SIZE);

  get size(): number {
    return this.#size;
  }

  get(id: number): ServerHttp2Stream | undefined {
    return this.#streams[this.#placeOf(id)];
  }

  set(id: number, stream: ServerHttp2Stream): this {
    // Half of it stays free, so that the next free place is near.
    if (2 * this.#size >= this.#ids.length) this.#grow();
    const place = this.#placeOf(id);
    if (this.#ids[place] === FREE) this.#size++;
    this.#put(place, id, stream);
    return this;
  }

  delete(id: number): boolean {
    let gap = this.#placeOf(id);
    if (this.#ids[gap] === FREE) return false;
    this.#size--;
    // Whoever stands behind the gap and could not be found over it moves in.
    for (let place = this.#next(gap); this.#ids[place] !== FREE; place = this.#next(place)) {
      const moved = this.#ids[place] ?? FREE;
      if (this.#distance(this.#homeOf(moved), place) < this.#distance(gap, place)) continue;
      this.#put(gap, moved, this.#streams[place]);
      gap = place;
    }
    this.#put(gap, FREE, undefined);
    return true;
  }

  /** Of those that are open now, whatever `visit` closes. */
  forEach(visit: (stream: ServerHttp2Stream) => void): void {
    for (const stream of [...this.#streams]) if (stream !== undefined) visit(stream);
  }

  /** Where it stands, or would. */
  #placeOf(id: number): number {
    let place = this.#homeOf(id);
    while (this.#ids[place] !== id && this.#ids[place] !== FREE) place = this.#next(place);
    return place;
  }

  /** A client's ids are odd. */
  #homeOf(id: number): number {
    return (id >> 1) & (this.#ids.length - 1);
  }

  #next(place: number): number {
    return (place + 1) & (this.#ids.length - 1);
  }

  #distance(from: number, to: number): number {
    return (to - from) & (this.#ids.length - 1);
  }

  #put(place: number, id: number, stream: ServerHttp2Stream | undefined): void {
    this.#ids[place] = id;
    this.#streams[place] = stream;
  }

  /** Never smaller again: a connection that had so many calls at once will have them again. */
  #grow(): void {
    const [ids, streams] = [this.#ids, this.#streams];
    this.#ids = new Int32Array(2 * ids.length);
    this.#streams = vacant(2 * ids.length);
    for (const [place, id] of ids.entries())
      if (id !== FREE) this.#put(this.#placeOf(id), id, streams[place]);
  }
}

const vacant = (size: number): (ServerHttp2Stream | undefined)[] => new Array(size).fill(undefined);

/** What Node asks of what holds a session's streams. */
type Streams = Pick<StreamTable, "size" | "get" | "set" | "delete" | "forEach">;

/** To be called before the session has a stream. False: this version of Node keeps them in another way, which is left as it is. */
export function keepStreamsApart(session: Http2Session): boolean {
  const key = Object.getOwnPropertySymbols(session).find(
    (symbol) => symbol.description === "state",
  );
  const state = key && (session as unknown as Record<symbol, { streams?: Streams }>)[key];
  if (state?.streams?.size !== 0) return false;
  state.streams = new StreamTable();
  return true;
}
