import { type Call, wholeOf } from "../core/call.js";
import { EvenParts } from "../core/even-parts.js";

/** What the queue knows of a row. */
export interface QueuedRow {
  /** The row's tokens. */
  readonly ids: readonly number[];
  /** When it would be done if every call had its even part of the backend, as Sharing counts: the row with the earliest is first in turn. */
  readonly due: number;
  /** When its caller gives up; Infinity where he does not. */
  readonly deadlineMs: number;
  /** Whose key its call came with. */
  readonly holder: string;
  /** The call that it belongs to; undefined for a row of no call. */
  readonly call: Call | undefined;
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
  /** By when they are due, then by order of arrival; or by arrival alone. */
  #rows: Row[] = [];
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
    return this.#parts.fits(holder, rows);
  }

  get size(): number {
    return this.#rows.length;
  }

  insert(row: Row): void {
    // Rows are inserted by order of arrival: after those that are due when this one is.
    let low = this.#byArrival ? this.#rows.length : 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.due ?? 0) <= row.due) low = middle + 1;
      else high = middle;
    }
    this.#rows.splice(low, 0, row);
    this.#count(row, 1);
  }

  /** The row that is first in turn; undefined when none waits. */
  get first(): Row | undefined {
    return this.#rows[0];
  }

  /** The rows that are next in turn, up to so many tokens and at least one, ascending by length; or as they came. */
  next(tokens: number): readonly Row[] {
    let end = 0;
    for (let sum = 0; end < this.#rows.length && (end === 0 || sum < tokens); end++)
      sum += this.#rows[end]?.ids.length ?? 0;
    const rows = this.#rows.slice(0, end);
    return this.#byArrival ? rows : rows.sort(byLength);
  }

  /** Takes rows of `next` out. */
  take(rows: readonly Row[]): void {
    const taken = new Set(rows);
    const before: Row[] = [];
    let end = 0;
    for (; taken.size > 0 && end < this.#rows.length; end++) {
      const row = this.#rows[end];
      if (row === undefined) continue;
      if (taken.delete(row)) this.#count(row, -1);
      else before.push(row);
    }
    this.#rows.splice(0, end, ...before);
  }

  /** Takes those of them out that still wait. */
  remove(rows: ReadonlySet<Row>): void {
    this.#rows = this.#rows.filter((row) => {
      const isLeft = !rows.has(row);
      if (!isLeft) this.#count(row, -1);
      return isLeft;
    });
  }

  #count({ holder, ids }: Row, rows: 1 | -1): void {
    this.#parts.add(holder, rows);
    this.#tokens += rows * ids.length;
  }

  /** Of all its rows. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Tokens that rows of a call, due at `due`, would wait for: of those due before them, and of those whose callers give up before `untilMs`. */
  ahead({ holder, call }: Pick<Row, "holder" | "call">, due: number, untilMs: number): Ahead {
    const whole = wholeOf(call);
    let [all, own, others] = [0, 0, 0];
    for (const row of this.#rows) {
      const isAfter = row.due > due && row.deadlineMs >= untilMs;
      if (isAfter && !this.#byArrival) continue;
      const tokens = row.ids.length;
      all += tokens;
      if (row.holder === holder) own += tokens;
      if (row.call === undefined || wholeOf(row.call) !== whole) others += tokens;
    }
    return { all, own, others };
  }
}

const byLength = (one: QueuedRow, other: QueuedRow): number =>
  one.ids.length - other.ids.length || one.order - other.order;
