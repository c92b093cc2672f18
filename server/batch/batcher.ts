import { orAbort } from "../core/abort.js";
import { type Call, currentCall } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { runHalving } from "./halving.js";
import { type BatchLimits, planBatch } from "./plan.js";

/** What the model said of one row. */
export interface RowResult {
  /** Unnormalised, one a class. */
  readonly logits: Float32Array;
  /** Of the model that answered, as in Sentiment.model_version. */
  readonly version: string;
}

/** A result, and what it took. */
export interface RowAnswer extends RowResult {
  /** From its submission to the start of its batch. */
  readonly queueMs: number;
  /** Of the whole batch. */
  readonly inferenceMs: number;
  readonly batchRows: number;
  /** Share of the batch that was padding, 0 to 1. */
  readonly paddingRatio: number;
}

export interface BatcherOptions {
  readonly limits: BatchLimits;
  /** Batches under way at once: as many as the backend runs side by side. */
  readonly maxInFlight: number;
  /** Rows that may wait; what comes on top is refused at once. */
  readonly maxQueuedRows: number;
  /** false: each row alone, in the order of arrival (for comparison). */
  readonly batching: boolean;
  /** Whether an error of the model can be the doing of a single row. */
  readonly blames: (error: unknown) => boolean;
}

/** What whoever runs a batch needs to know of its callers. */
export interface RunContext {
  /** Fires when the last of them has left. */
  readonly signal: AbortSignal;
  /** When the last of them gives up, on the server's clock in milliseconds; Infinity where none does. */
  readonly deadlineMs: number;
  /** W3C trace context that the run belongs to. */
  readonly traceparent: string | undefined;
}

/** Runs rows of token ids as one batch; one result a row, in their order. */
export type RunBatch = (
  rows: readonly (readonly number[])[],
  context: RunContext,
) => Promise<readonly RowResult[]>;

interface WaitingRow {
  readonly ids: readonly number[];
  readonly order: number;
  readonly sinceMs: number;
  /** The call that it belongs to; undefined for a row of no call. */
  readonly call: Call | undefined;
  /** Of the caller: nobody waits for the row any more once it has fired. */
  readonly signal: AbortSignal;
  settle(outcome: PromiseSettledResult<RowAnswer>): void;
}

/**
 * Gathers rows of many callers into batches of near-equal length. It never lingers: a free backend takes at once what
 * waits, and what arrives meanwhile is the next batch. So a lone call pays nothing, and load makes full batches by itself.
 */
export class Batcher {
  /** Ascending by length, then by order of arrival. */
  #queue: WaitingRow[] = [];
  #inFlight = 0;
  #arrivals = 0;
  readonly #run: RunBatch;
  readonly #options: BatcherOptions;
  readonly #clock: Clock;

  constructor(run: RunBatch, options: BatcherOptions, clock: Clock) {
    this.#run = run;
    this.#options = options;
    this.#clock = clock;
  }

  get queuedRows(): number {
    return this.#queue.length;
  }

  /**
   * One outcome a row, in the order of `rows`; a row that breaks the model is rejected alone. Rejects as a whole with
   * OVERLOADED, or with the signal's reason when the caller leaves: rows that still wait then take no place in a batch.
   */
  async submit(
    rows: readonly (readonly number[])[],
    signal: AbortSignal,
  ): Promise<PromiseSettledResult<RowAnswer>[]> {
    signal.throwIfAborted();
    if (this.#queue.length + rows.length > this.#options.maxQueuedRows) {
      throw new ServiceError(
        "OVERLOADED",
        `The queue is full (${this.#queue.length} texts wait): try again later.`,
        {
          retryAfterMs: 1000,
        },
      );
    }
    const mine = new Set<WaitingRow>();
    const call = currentCall.getStore();
    const sinceMs = this.#clock.now();
    const outcomes = rows.map(
      (ids) =>
        new Promise<PromiseSettledResult<RowAnswer>>((settle) => {
          const row = { ids, order: this.#arrivals++, sinceMs, call, signal, settle };
          mine.add(row);
          this.#insert(row);
        }),
    );
    // After the caller's turn: the rows of calls that arrived together then form one batch.
    queueMicrotask(() => this.#dispatch());
    // One listener a call, not one a row.
    return orAbort(Promise.all(outcomes), signal, () => {
      this.#queue = this.#queue.filter((row) => !mine.has(row));
    });
  }

  #insert(row: WaitingRow): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#queue[middle]?.ids.length ?? 0) <= row.ids.length) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, row);
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#inFlight < this.#options.maxInFlight) {
      const oldest = this.#oldest();
      const { start, end } = this.#options.batching
        ? planBatch(
            this.#queue.map((row) => row.ids.length),
            oldest,
            this.#options.limits,
          )
        : { start: oldest, end: oldest + 1 };
      void this.#runBatch(this.#queue.splice(start, end - start));
    }
  }

  #oldest(): number {
    let oldest = 0;
    let order = Number.POSITIVE_INFINITY;
    for (const [place, row] of this.#queue.entries()) {
      if (row.order < order) [oldest, order] = [place, row.order];
    }
    return oldest;
  }

  async #runBatch(batch: readonly WaitingRow[]): Promise<void> {
    this.#inFlight++;
    const startedMs = this.#clock.now();
    using callers = callersOf(batch);
    const outcomes = await runHalving(
      batch.map((row) => row.ids),
      (rows) => this.#run(rows, callers),
      this.#options.blames,
    );
    const inferenceMs = this.#clock.now() - startedMs;
    this.#inFlight--;
    this.#dispatch();
    const paddingRatio = paddingOf(batch);
    for (const [place, row] of batch.entries()) {
      const outcome = outcomes[place] ?? {
        status: "rejected",
        reason: new Error("no outcome for the row"),
      };
      if (outcome.status === "rejected") row.settle(outcome);
      else {
        const queueMs = startedMs - row.sinceMs;
        const value = {
          ...outcome.value,
          queueMs,
          inferenceMs,
          batchRows: batch.length,
          paddingRatio,
        };
        row.settle({ status: "fulfilled", value });
      }
    }
  }
}

/** Share of a batch, padded to its longest row, that is padding. */
function paddingOf(batch: readonly WaitingRow[]): number {
  let tokens = 0;
  let longest = 0;
  for (const { ids } of batch) {
    tokens += ids.length;
    longest = Math.max(longest, ids.length);
  }
  return 1 - tokens / Math.max(1, longest * batch.length);
}

/**
 * What the callers of a batch want of its run: as long as one of them waits it goes on, until the last of their deadlines. Its trace
 * is that of the row that has waited longest.
 */
function callersOf(batch: readonly WaitingRow[]): RunContext & Disposable {
  const left = new AbortController();
  const signals = new Set(batch.map(({ signal }) => signal));
  let waiting = signals.size;
  const leave = () => {
    waiting--;
    if (waiting === 0) left.abort(new Error("every caller of the batch has left"));
  };
  for (const signal of signals) signal.addEventListener("abort", leave, { once: true });
  const [first] = [...batch].sort((one, other) => one.order - other.order);
  const deadlines = batch.map(({ call }) => call?.deadlineMs ?? Number.POSITIVE_INFINITY);
  return {
    signal: left.signal,
    deadlineMs: Math.max(...deadlines),
    traceparent: first?.call?.traceparent,
    [Symbol.dispose]() {
      for (const signal of signals) signal.removeEventListener("abort", leave);
    },
  };
}
