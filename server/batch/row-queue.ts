import { type Call, holderOf } from "../core/call.js";
import { EvenParts } from "../core/even-parts.js";

/** What the queue knows of a row. */
export interface QueuedRow {
  /** The row's tokens. */
  readonly ids: readonly number[];
  /** When it would be done if every call had its even part of the backend, as Sharing counts: the row with the earliest is first in turn. */
  readonly due: number;
  /** That it is read for. */
  readonly call: Call;
  /** Of all rows, by arrival. */
  readonly order: number;
}

/** Tokens that wait before a row. */
export interface Ahead {
  readonly all: number;
  /** Of the same holder. */
  readonly own: number;
  /** Of other calls. */
  readonly others: number;
}

/** Rows that wait, in turn. */
export class RowQueue<Row extends QueuedRow> {
  /** By when they are due, then by order of arrival; or by arrival alone. Some may have left: `#waiting` is without those. */
  #rows: Row[] = [];
  /** The same by their length. */
  #byLength: Row[] = [];
  /** Taken out of what waits at the next look at it, all at once: of thousands whose callers leave together each would go through all rows by itself. */
  readonly #left = new Set<Row>();
  #tokens = 0;
  readonly #byArrival: boolean;
  readonly #parts: EvenParts<string>;

  /** `byArrival`: as they came, and batches are put together so too. `mostRows`: may wait without a question. */
  constructor(byArrival: boolean, mostRows: number) {
    this.#byArrival = byArrival;
    this.#parts = new EvenParts(mostRows);
  }

  /** For so many rows more of the holder: beyond what may wait without a question only for who has less than an even part of that. */
  hasRoomFor(holder: string, rows: number): boolean {
    this.#forget();
    return this.#parts.fits(holder, rows);
  }

  get size(): number {
    return this.#waiting.length;
  }

  insert(row: Row): void {
    const rows = this.#waiting;
    // Rows are inserted by order of arrival: after those that are due when this one is.
    const isBefore = (one: Row) => one.due <= row.due;
    rows.splice(this.#byArrival ? rows.length : placeIn(rows, isBefore), 0, row);
    this.#byLength.splice(placeByLength(this.#byLength, row), 0, row);
    this.#count(row, 1);
  }

  /** The row that is first in turn; undefined when none waits. */
  get first(): Row | undefined {
    return this.#waiting[0];
  }

  /** The rows that are next in turn, up to so many tokens and at least one, ascending by length; or as they came. */
  next(tokens: number): readonly Row[] {
    const rows = this.#waiting;
    // Nearly always, and in order already. Not a copy: who keeps it past the next change of the queue takes one.
    if (this.#tokens <= tokens) return this.#byArrival ? rows : this.#byLength;
    let end = 0;
    for (let sum = 0; end < rows.length && (end === 0 || sum < tokens); end++)
      sum += rows[end]?.ids.length ?? 0;
    const next = rows.slice(0, end);
    return this.#byArrival ? next : next.sort(byLength);
  }

  /** Takes rows of `next` out. */
  take(some: readonly Row[]): void {
    const rows = this.#waiting;
    const taken = new Set(some);
    const before: Row[] = [];
    let end = 0;
    for (; taken.size > 0 && end < rows.length; end++) {
      const row = rows[end];
      if (row === undefined) continue;
      if (taken.delete(row)) this.#count(row, -1);
      else before.push(row);
    }
    rows.splice(0, end, ...before);
    for (const row of some) this.#byLength.splice(placeByLength(this.#byLength, row), 1);
  }

  /** Takes those of them out that still wait. */
  remove(rows: Iterable<Row>): void {
    for (const row of rows) this.#left.add(row);
  }

  /** Those that wait. */
  get #waiting(): Row[] {
    this.#forget();
    return this.#rows;
  }

  /** Of those that were taken out since. */
  #forget(): void {
    if (this.#left.size === 0) return;
    const stays = (row: Row) => !this.#left.has(row);
    for (const row of this.#rows) if (!stays(row)) this.#count(row, -1);
    this.#rows = this.#rows.filter(stays);
    this.#byLength = this.#byLength.filter(stays);
    this.#left.clear();
  }

  #count({ call, ids }: Row, rows: 1 | -1): void {
    this.#parts.add(holderOf(call), rows);
    this.#tokens += rows * ids.length;
  }

  /** Of all its rows. */
  get tokens(): number {
    this.#forget();
    return this.#tokens;
  }

  /** Tokens that rows of a call, due at `due`, would wait for: of those due before them, and of those whose callers give up before `untilMs`. */
  ahead(call: Call, due: number, untilMs: number): Ahead {
    const holder = holderOf(call);
    let [all, own, others] = [0, 0, 0];
    for (const row of this.#waiting) {
      const isAfter = row.due > due && row.call.deadlineMs >= untilMs;
      if (isAfter && !this.#byArrival) continue;
      const tokens = row.ids.length;
      all += tokens;
      if (holderOf(row.call) === holder) own += tokens;
      if (row.call.origin !== call.origin) others += tokens;
    }
    return { all, own, others };
  }
}

/** The first place, of a list that begins with all that are before something, of one that is not. */
function placeIn<Row>(rows: readonly Row[], isBefore: (row: Row) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(rows[middle] as Row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where the row is in such a list, or belongs. */
const placeByLength = (rows: readonly QueuedRow[], row: QueuedRow): number =>
  placeIn(rows, (one) => byLength(one, row) < 0);

/** Ascending; those of one length as they came. */
export const byLength = (one: QueuedRow, other: QueuedRow): number =>
  one.ids.length - other.ids.length || one.order - other.order;
