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
  /** The call that it belongs to; undefined for a row of no call. */
  readonly call: Call | undefined;
  /** Of the caller: nobody waits for the row any more once it has fired. */
  readonly signal: AbortSignal;
}

/**
 * What the callers of a batch want of its run: as long as one of them waits it goes on, until the last of their deadlines. It is a step of the traced call
 * that came first, linked to all that are traced; or else the trace is passed on of the row that came first.
 */
export function runContextOf(
  batch: readonly CalledRow[],
  attributes: Attributes,
): RunContext & Disposable {
  const left = new AbortController();
  const signals = new Set(batch.map(({ signal }) => signal));
  let waiting = signals.size;
  const leave = () => {
    waiting--;
    if (waiting === 0) left.abort(new Error("every caller of the batch has left"));
  };
  for (const signal of signals) signal.addEventListener("abort", leave);
  const isTraced = batch.some(({ call }) => call?.span !== undefined);
  const links = isTraced ? spansOf(batch) : [];
  const span = links[0]?.step("batch", { attributes, links });
  const first = batch.reduce((one, other) => (other.order < one.order ? other : one));
  const deadlines = batch.map(({ call }) => call?.deadlineMs ?? Number.POSITIVE_INFINITY);
  return {
    signal: left.signal,
    deadlineMs: Math.max(...deadlines),
    ...passedOn(span ?? first.call),
    span,
    [Symbol.dispose]() {
      span?.end();
      for (const signal of signals) signal.removeEventListener("abort", leave);
    },
  };
}

/** Of the calls, in the order in which they came. */
const spansOf = (batch: readonly CalledRow[]): readonly Span[] => {
  const inOrder = batch.toSorted((one, other) => one.order - other.order);
  return [...new Set(inOrder.flatMap(({ call }) => call?.span ?? []))];
};

const passedOn = (of: Pick<Call, "traceparent" | "tracestate"> | undefined) => ({
  traceparent: of?.traceparent,
  ...(of?.tracestate && { tracestate: of.tracestate }),
});
