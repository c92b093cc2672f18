import type { Call } from "../core/call.js";
import type { Attributes, Span } from "../core/trace.js";

/** What whoever runs a batch needs to know of its callers. */
export interface RunContext {
  /** Fires when the last of them has left. */
  readonly signal: AbortSignal;
  /** When the last of them gives up, on the server's clock in milliseconds; Infinity where none does. */
  readonly deadlineMs: number;
  /** W3C trace context that the run belongs to. */
  readonly traceparent: string | undefined;
  readonly tracestate?: string | undefined;
  /** Of the run; undefined where no caller is traced. */
  readonly span: Span | undefined;
}

/** Of a row: whom it belongs to. */
export interface CalledRow {
  /** Of all rows, by arrival. */
  readonly order: number;
  /** That it is read for. */
  readonly call: Call;
}

/**
 * What the callers of a batch want of its run: as long as one of them waits it goes on, until the last of their deadlines. It is a step of the traced call
 * that came first, linked to all that are traced; or else the trace is passed on of the row that came first.
 */
export class BatchContext implements RunContext {
  readonly deadlineMs: number;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly span: Span | undefined;
  /** Rows that somebody waits for. */
  #waiting: number;
  readonly #left = new AbortController();

  constructor(batch: readonly CalledRow[], attributes: Attributes) {
    this.#waiting = batch.length;
    const isTraced = batch.some(({ call }) => call.span !== undefined);
    const links = isTraced ? spansOf(batch) : [];
    this.span = links[0]?.step("batch", { attributes, links });
    const first = batch.reduce((one, other) => (other.order < one.order ? other : one));
    const of = this.span ?? first.call.origin;
    this.traceparent = of.traceparent;
    this.tracestate = of.tracestate;
    this.deadlineMs = Math.max(...batch.map(({ call }) => call.deadlineMs));
  }

  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /** Nobody waits any more for one of its rows. To be called once a row. */
  leave(): void {
    this.#waiting--;
    if (this.#waiting === 0) this.#left.abort(new Error("every caller of the batch has left"));
  }

  /** It has run. */
  end(): void {
    this.span?.end();
  }
}

/** Of the calls, in the order in which they came. */
const spansOf = (batch: readonly CalledRow[]): readonly Span[] => {
  const inOrder = batch.toSorted((one, other) => one.order - other.order);
  return [...new Set(inOrder.flatMap(({ call }) => call.span ?? []))];
};
