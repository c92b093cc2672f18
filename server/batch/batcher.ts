import { orAbort } from "../core/abort.js";
import { type Call, currentCall } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import type { Tier } from "../core/tiers.js";
import { admit, outrun, waitOf } from "./admission.js";
import { CostModel, DrainRate, sizeOf } from "./cost.js";
import type { BatchEvents } from "./events.js";
import { runHalving } from "./halving.js";
import { type BatchLimits, type BatchPolicy, budgetOf, planBatch } from "./plan.js";
import { type Outcome, type RowResult, settleRow, tokensOf, type WaitingRow } from "./row.js";
import { RowQueue } from "./row-queue.js";
import { type RunContext, runContextOf } from "./run-context.js";
import { Sharing } from "./sharing.js";

export interface BatcherOptions {
  readonly limits: BatchLimits;
  readonly policy: BatchPolicy;
  /** Batches that the backend runs side by side. */
  readonly concurrency: number;
  /** Batches that it takes at once, at least as many. */
  readonly maxInFlight: number;
  /** Rows that may wait; what comes on top is refused at once. */
  readonly maxQueuedRows: number;
  /** Milliseconds that a call may wait for others by estimate, whatever its deadline; what would wait longer is refused at once. */
  readonly maxWaitMs: number;
  /** Whether an error of the model can be the doing of a single row. */
  readonly blames: (error: unknown) => boolean;
  readonly events: BatchEvents;
  /** Of the model: what it reads is charged to the calls by it; unset: to nobody. */
  readonly tier?: Tier;
}

/** Runs rows of token ids as one batch; one result a row, in their order. `ranMs`: of the model alone, where that is known. */
export type RunBatch = (
  rows: readonly (readonly number[])[],
  context: RunContext,
) => Promise<{ readonly results: readonly RowResult[]; readonly ranMs?: number | undefined }>;

/**
 * A batch is the row that is first in turn and its neighbours in length, of which some came later: by the simulation in test/unit/batch a row waits up to
 * half as long again as for those before it. And batches may take longer than they did of late.
 */
const MARGIN = 2;

/**
 * Gathers rows of many callers into batches of near-equal length. It never lingers: a free backend takes at once what
 * waits, and what arrives meanwhile is the next batch. So a lone call pays nothing, and load makes full batches by itself.
 *
 * First in turn is who would be done first if the backend were shared evenly: a short text does not wait behind a long one, nor a single one behind
 * a large call, nor one key's calls behind another's many; and since all of it is counted from the arrival, nothing starves.
 */
export class Batcher {
  readonly #queue: RowQueue<WaitingRow>;
  #inFlight = 0;
  #runningTokens = 0;
  #arrivals = 0;
  readonly #cost = new CostModel();
  readonly #drain = new DrainRate();
  readonly #sharing = new Sharing();
  readonly #run: RunBatch;
  readonly #options: BatcherOptions;
  readonly #clock: Clock;

  constructor(run: RunBatch, options: BatcherOptions, clock: Clock) {
    this.#run = run;
    this.#options = options;
    this.#queue = new RowQueue(options.policy === "fifo");
    this.#clock = clock;
  }

  get queued(): { readonly size: number; readonly tokens: number } {
    return this.#queue;
  }

  /** Milliseconds that a row would wait behind all there is, by estimate; 0 while unknown. */
  get waitMs(): number {
    return this.#waitOf(this.#queue.tokens, 0);
  }

  /**
   * One outcome a row, in the order of `rows`; a row that breaks the model is rejected alone. Rejects as a whole with
   * OVERLOADED, or with the signal's reason when the caller leaves: rows that still wait then take no place in a batch.
   */
  async submit(rows: readonly (readonly number[])[], signal: AbortSignal): Promise<Outcome[]> {
    signal.throwIfAborted();
    if (rows.length === 0) return [];
    const call = currentCall.getStore();
    using _part = this.#sharing.enter(call?.holder ?? "");
    const mine = this.#admitted(this.#waitingRows(rows, call, signal));
    for (const row of mine) this.#queue.insert(row);
    // After the caller's turn: the rows of calls that arrived together then form one batch.
    queueMicrotask(() => this.#dispatch());
    // One listener a call, not one a row. Awaited here: the part is the call's until it is answered.
    return await orAbort(Promise.all(mine.map(({ settled }) => settled)), signal, () => {
      this.#queue.remove(new Set(mine));
    });
  }

  /** In the order of `rows`. A call's shorter rows are due before its longer ones. */
  #waitingRows(
    rows: readonly (readonly number[])[],
    call: Call | undefined,
    signal: AbortSignal,
  ): readonly WaitingRow[] {
    const sinceMs = this.#clock.now();
    const { concurrency } = this.#options;
    const holder = call?.holder ?? "";
    const msPerToken = ((this.#cost.msPerToken ?? 0) / concurrency) * this.#sharing.parts(holder);
    let tokens = 0;
    const deadlineMs = call?.deadlineMs ?? Number.POSITIVE_INFINITY;
    const dues = new Map<readonly number[], number>();
    for (const ids of [...rows].sort((one, other) => one.length - other.length)) {
      tokens += ids.length;
      dues.set(ids, sinceMs + tokens * msPerToken);
    }
    return rows.map((ids) => {
      const order = this.#arrivals++;
      const dueMs = dues.get(ids) ?? sinceMs;
      const { promise: settled, resolve: settle } = Promise.withResolvers<Outcome>();
      return { ids, order, sinceMs, dueMs, deadlineMs, holder, call, signal, settled, settle };
    });
  }

  /**
   * The rows, due when they were expected at the latest: who comes later may go before them only within what they were admitted for. Throws OVERLOADED for
   * what would not be answered in time. A backend that is idle takes anything: it has nothing better to do.
   */
  #admitted(rows: readonly WaitingRow[]): readonly WaitingRow[] {
    const { maxQueuedRows, maxWaitMs } = this.#options;
    if (this.#queue.size + rows.length > maxQueuedRows) {
      const message = `The queue is full (${this.#queue.size} texts wait): try again later.`;
      this.#shed("queue_full", rows);
      throw new ServiceError("OVERLOADED", message, { retryAfterMs: 1000 });
    }
    const [first] = rows;
    if (first === undefined) return rows;
    const nowMs = this.#clock.now();
    const dueMs = rows.reduce((latest, row) => Math.max(latest, row.dueMs), nowMs);
    const tokens = tokensOf(rows);
    // Who could not wait for all there is must not be pushed back by those who go before him.
    const allMs = MARGIN * this.#waitOf(this.#queue.tokens, tokens);
    const ahead = this.#queue.ahead(first, dueMs, nowMs + allMs);
    // Nobody waits longer than for his own rows on his even part, however many the others have.
    const { holders } = this.#sharing;
    const waitMs = Math.min(
      this.#waitOf(ahead.all, tokens),
      this.#waitOf(ahead.own * holders, tokens * holders),
    );
    if (this.#queue.size > 0 || this.#inFlight > 0) {
      const refuse = () => this.#shed("too_late", rows);
      // What a call has asked for itself, here or before, is no queue that it has met.
      admit(Math.min(this.#waitOf(ahead.others, 0), waitMs), maxWaitMs, refuse);
      const ownMs = this.#waitOf(0, tokens) - this.#waitOf(0, 0);
      admit(ownMs + MARGIN * (waitMs - ownMs), first.deadlineMs - nowMs, refuse);
    }
    return rows.map((row) => ({ ...row, dueMs: Math.min(row.dueMs, nowMs + waitMs) }));
  }

  /** A warming that has to wait is no caller who was turned away. */
  #shed(reason: Parameters<BatchEvents["shed"]>[0], rows: readonly WaitingRow[]): void {
    if (!rows[0]?.call?.isUnasked) this.#options.events.shed(reason, rows.length);
  }

  #waitOf(aheadTokens: number, ownTokens: number): number {
    return waitOf({
      aheadTokens,
      runningTokens: this.#runningTokens,
      ownTokens,
      concurrency: this.#options.concurrency,
      msPerToken: this.#cost.msPerToken,
      drainMsPerToken: this.#drain.msPerToken,
    });
  }

  #dispatch(): void {
    const { concurrency, maxInFlight, policy, limits } = this.#options;
    while (this.#inFlight < maxInFlight) {
      const first = this.#queue.first();
      if (first === undefined) return;
      const { row, place } = first;
      if (this.#isOutrun(row)) {
        this.#queue.take({ start: place, end: place + 1 });
        this.#shed("outrun", [row]);
        row.settle({ status: "rejected", reason: outrun() });
        continue;
      }
      const free = Math.max(1, concurrency - this.#inFlight);
      const { fixedTokens } = this.#cost;
      const budget = budgetOf(policy, { queued: this.#queue.size, free, fixedTokens }, limits);
      const batch = this.#queue.take(planBatch(this.#queue.lengths(), place, budget));
      void this.#runBatch(batch);
    }
  }

  /** Its caller would have left before its answer: what the backend does for it is lost for those who still wait. */
  #isOutrun({ deadlineMs, ids }: WaitingRow): boolean {
    if (this.#inFlight === 0 && this.#queue.size === 1) return false;
    const nowMs = this.#clock.now();
    return nowMs + this.#waitOf(0, ids.length) > deadlineMs;
  }

  async #runBatch(batch: readonly WaitingRow[]): Promise<void> {
    const ids = batch.map((row) => row.ids);
    const size = sizeOf(ids.map(({ length }) => length));
    this.#inFlight++;
    this.#runningTokens += size.tokens;
    const startedMs = this.#clock.now();
    const paddingRatio = 1 - size.tokens / size.paddedTokens;
    using context = runContextOf(batch, {
      "sentiment.batch_rows": batch.length,
      "sentiment.bucket_tokens": size.paddedTokens / batch.length,
      "sentiment.padding_ratio": paddingRatio,
    });
    let ranMs: number | undefined;
    const run = async (rows: readonly (readonly number[])[]) => {
      const ran = await this.#run(rows, context);
      if (ran.ranMs !== undefined) ranMs = (ranMs ?? 0) + ran.ranMs;
      return ran.results;
    };
    const { blames, events, tier } = this.#options;
    const outcomes = await runHalving(ids, run, blames);
    const endedMs = this.#clock.now();
    const inferenceMs = ranMs ?? endedMs - startedMs;
    this.#inFlight--;
    this.#runningTokens -= size.tokens;
    this.#drain.done(size.tokens, endedMs, this.#queue.size > 0);
    // One that failed took as long as failing takes.
    if (outcomes.every(({ status }) => status === "fulfilled"))
      this.#cost.observe(size, inferenceMs);
    this.#dispatch();
    const ran = { rows: batch.length, paddingRatio, inferenceMs };
    for (const [place, row] of batch.entries()) {
      const queueMs = settleRow(row, outcomes[place], ran, endedMs);
      if (queueMs === undefined) continue;
      events.waited(queueMs);
      // Also where its caller has left meanwhile: the model has worked for him.
      if (tier !== undefined) row.call?.charge?.read(tier, row.ids.length);
    }
    if (outcomes.some(({ status }) => status === "fulfilled")) events.ran(ran);
  }
}
