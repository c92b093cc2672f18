import type { Call } from "../core/call.js";
import type { Range } from "./plan.js";

/** What the queue knows of a row. */
export interface QueuedRow {
  /** The row's tokens. */
  readonly ids: readonly number[];
  /** When it would be done if every call had its even part of the backend: the row with the earliest is first in turn. */
  readonly dueMs: number;
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

/** Rows that wait. */
export class RowQueue<Row extends QueuedRow> {
  /** Ascending by length, then by order of arrival; or by arrival alone. */
  #rows: Row[] = [];
  #tokens = 0;
  readonly #byArrival: boolean;

  /** `byArrival`: as they came, and the first one is first in turn. */
  constructor(byArrival: boolean) {
    this.#byArrival = byArrival;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** Tokens of each row, in the order in which they stand. */
  lengths(): readonly number[] {
    return this.#rows.map(({ ids }) => ids.length);
  }

  insert(row: Row): void {
    let low = this.#byArrival ? this.#rows.length : 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.ids.length ?? 0) <= row.ids.length) low = middle + 1;
      else high = middle;
    }
    this.#rows.splice(low, 0, row);
    this.#tokens += row.ids.length;
  }

  /** The row that is first in turn, and its place; undefined when none waits. */
  first(): { readonly row: Row; readonly place: number } | undefined {
    let [first] = this.#rows;
    if (first === undefined) return undefined;
    let place = 0;
    if (this.#byArrival) return { row: first, place };
    for (const [index, row] of this.#rows.entries()) {
      if (row.dueMs > first.dueMs || (row.dueMs === first.dueMs && row.order >= first.order))
        continue;
      first = row;
      place = index;
    }
    return { row: first, place };
  }

  /** Takes those rows out. */
  take({ start, end }: Range): Row[] {
    const rows = this.#rows.splice(start, end - start);
    for (const { ids } of rows) this.#tokens -= ids.length;
    return rows;
  }

  /** Takes those of them out that still wait. */
  remove(rows: ReadonlySet<Row>): void {
    const left = this.#rows.filter((row) => !rows.has(row));
    this.#tokens = left.reduce((sum, { ids }) => sum + ids.length, 0);
    this.#rows = left;
  }

  /** Of all its rows. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Tokens that rows of a call, due at `dueMs`, would wait for: of those due before them, and of those whose callers give up before `untilMs`. */
  ahead({ holder, call }: Pick<Row, "holder" | "call">, dueMs: number, untilMs: number): Ahead {
    let [all, own, others] = [0, 0, 0];
    for (const row of this.#rows) {
      if (row.dueMs > dueMs && row.deadlineMs >= untilMs) continue;
      const tokens = row.ids.length;
      all += tokens;
      if (row.holder === holder) own += tokens;
      if (row.call === undefined || row.call !== call) others += tokens;
    }
    return { all, own, others };
  }
}
