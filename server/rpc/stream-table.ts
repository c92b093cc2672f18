import type { Http2Session, ServerHttp2Stream } from "node:http2";
import { heldAs } from "./node-internals.js";

/** A power of two, as all its sizes are. */
const FIRST_SIZE = 64;
/** A table that is empty, and larger, is given back: connections that are idle must not hold what they once needed. */
const MOST_EMPTY_SIZE = 1024;
/** No stream of a client has this id. */
const FREE = 0;
/** 2^32 by the golden ratio: numbers that count up are spread evenly by the upper bits of their product with it. */
const SCATTER = 0x9e3779b1;

/**
 * The streams of a session by their ids, in place of Node's own Map. V8 (13.6) makes a Map a new table whenever as many entries have come and gone as the old one
 * had room for. What it leaves behind is garbage of the old generation, where the session is, and holds the streams that were open then: so most streams outlived
 * the minor collections, each with all that its call had made, were copied twice, and were freed by the next major one only.
 */
export class StreamTable {
  #size = 0;
  /** Open addressing: a stream stands at the home of its id, or at the next place that was free. */
  #ids = new Int32Array(FIRST_SIZE);
  #streams = vacant(FIRST_SIZE);
  #shift = shiftOf(FIRST_SIZE);

  get size(): number {
    return this.#size;
  }

  get(id: number): ServerHttp2Stream | undefined {
    return this.#streams[this.#placeOf(id)];
  }

  set(id: number, stream: ServerHttp2Stream): this {
    // Half of it stays free, so that the next free place is near.
    if (2 * this.#size >= this.#ids.length) this.#resize(2 * this.#ids.length);
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
    if (this.#size === 0 && this.#ids.length > MOST_EMPTY_SIZE) this.#resize(FIRST_SIZE);
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

  #homeOf(id: number): number {
    return Math.imul(id, SCATTER) >>> this.#shift;
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

  #resize(size: number): void {
    const [ids, streams] = [this.#ids, this.#streams];
    this.#ids = new Int32Array(size);
    this.#streams = vacant(size);
    this.#shift = shiftOf(size);
    for (const [place, id] of ids.entries())
      if (id !== FREE) this.#put(this.#placeOf(id), id, streams[place]);
    // It may be old, and must not do what Node's does.
    streams.fill(undefined);
  }
}

/** As many upper bits of 32 are left as places have numbers. */
const shiftOf = (size: number): number => 32 - Math.log2(size);

const vacant = (size: number): (ServerHttp2Stream | undefined)[] => new Array(size).fill(undefined);

/** What Node asks of what holds a session's streams. */
type Streams = Pick<StreamTable, "size" | "get" | "set" | "delete" | "forEach">;

/** To be called before the session has a stream. False: this version of Node keeps them in another way, which is left as it is. */
export function keepStreamsApart(session: Http2Session): boolean {
  const state = heldAs(session, "state") as { streams?: Streams } | undefined;
  if (state?.streams?.size !== 0) return false;
  state.streams = new StreamTable();
  return true;
}
