import { orAbort } from "../core/abort.js";
import { type Call, currentCall } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import type { Tier } from "../core/tiers.js";
import { admit, outrun } from "./admission.js";
import { sizeOf } from "./cost.js";
import type { BatchEvents, ShedReason } from "./events.js";
import { runHalving } from "./halving.js";
import { Load } from "./load.js";
import { type BatchLimits, type BatchPolicy, budgetOf, planBatch } from "./plan.js";
import { type Outcome, type RowResult, settleRow, tokensOf, type WaitingRow } from "./row.js";
import { type QueuedRow, RowQueue } from "./row-queue.js";
import { type RunContext, runContextOf } from "./run-context.js";
import { duesOf, Sharing } from "./sharing.js";

export interface BatcherOptions {
  readonly limits: BatchLimits;
  readonly policy: BatchPolicy;
  /** Batches that the backend runs side by side. */
  readonly concurrency: number;
  /** Batches that it takes at once, at least as many. */
  readonly maxInFlight: number;
  /** What a batch costs before its first token, in padded tokens; unset or undefined: it is learned. */
  readonly fixedTokens?: number | undefined;
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

/** Who asks to be let in, with rows of so many tokens in all, the last of them due then. */
type Newcomer = Pick<QueuedRow, "call" | "holder" | "dueMs" | "deadlineMs"> &
  Readonly<Record<"rows" | "tokens", number>>;

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
  #arrivals = 0;
  readonly #load: Load;
  readonly #sharing = new Sharing();
  readonly #run: RunBatch;
  readonly #options: BatcherOptions;
  readonly #clock: Clock;

  constructor(run: RunBatch, options: BatcherOptions, clock: Clock) {
    this.#run = run;
    this.#options = options;
    this.#queue = new RowQueue(options.policy === "fifo");
    this.#load = new Load(options.concurrency, options.fixedTokens);
    this.#clock = clock;
  }

  get queued(): { readonly size: number; readonly tokens: number } {
    return this.#queue;
  }

  /** Milliseconds that a row would wait behind all there is, by estimate; 0 while unknown. */
  get waitMs(): number {
    return this.#load.waitMs(this.#queue.tokens, 0);
  }

  /**
   * Throws OVERLOADED where `submit` would refuse rows of so many tokens now. So a text that cannot be answered in time need not be read first, which is most
   * of the work that a refusal makes.
   */
  admit(rows: number, tokens: number): void {
    const call = currentCall.getStore();
    const { holder = "", deadlineMs = Number.POSITIVE_INFINITY } = call ?? {};
    const nowMs = this.#clock.now();
    const allMs = MARGIN * this.#load.waitMs(this.#queue.tokens, tokens);
    // Nearly always: there is time enough for all that waits, so nobody need count what of it goes before.
    const isInTime = allMs <= Math.min(this.#options.maxWaitMs, deadlineMs - nowMs);
    if (isInTime && this.#queue.size + rows <= this.#options.maxQueuedRows) return;
    using _part = this.#sharing.enter(holder);
    const dueMs = nowMs + tokens * this.#msPerTokenOf(holder);
    this.#admit({ call, holder, rows, tokens, dueMs, deadlineMs });
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

  /** In the order of `rows`. */
  #waitingRows(
    rows: readonly (readonly number[])[],
    call: Call | undefined,
    signal: AbortSignal,
  ): readonly WaitingRow[] {
    const sinceMs = this.#clock.now();
    const { holder = "", deadlineMs = Number.POSITIVE_INFINITY } = call ?? {};
    const dues = duesOf(rows, sinceMs, this.#msPerTokenOf(holder));
    return rows.map((ids) => {
      const order = this.#arrivals++;
      const dueMs = dues.get(ids) ?? sinceMs;
      const { promise: settled, resolve: settle } = Promise.withResolvers<Outcome>();
      return { ids, order, sinceMs, dueMs, deadlineMs, holder, call, signal, settled, settle };
    });
  }

  /** What a token takes if the backend is shared evenly. */
  #msPerTokenOf(holder: string): number {
    return this.#load.msPerToken * this.#sharing.parts(holder);
  }

  /** The rows, due when they were expected at the latest: who comes later may go before them only within what they were admitted for. Throws as `#admit`. */
  #admitted(rows: readonly WaitingRow[]): readonly WaitingRow[] {
    const [first] = rows;
    if (first === undefined) return rows;
    const dueMs = rows.reduce((latest, row) => Math.max(latest, row.dueMs), first.sinceMs);
    const atLatestMs = this.#admit({ ...first, rows: rows.length, tokens: tokensOf(rows), dueMs });
    return rows.map((row) => ({ ...row, dueMs: Math.min(row.dueMs, atLatestMs) }));
  }

  /**
   * When its last row is expected to be answered. Throws OVERLOADED for what would not be answered in time. A backend that is idle takes anything: it has
   * nothing better to do.
   */
  #admit({ call, holder, rows, tokens, dueMs, deadlineMs }: Newcomer): number {
    const { maxQueuedRows, maxWaitMs } = this.#options;
    if (this.#queue.size + rows > maxQueuedRows) {
      const message = `The queue is full (${this.#queue.size} texts wait): try again later.`;
      this.#shed("queue_full", rows, call);
      throw new ServiceError("OVERLOADED", message, { retryAfterMs: 1000 });
    }
    const nowMs = this.#clock.now();
    // Who could not wait for all there is must not be pushed back by those who go before him.
    const allMs = MARGIN * this.#load.waitMs(this.#queue.tokens, tokens);
    const ahead = this.#queue.ahead({ holder, call }, dueMs, nowMs + allMs);
    // Nobody waits longer than for his own rows on his even part, however many the others have.
    const { holders } = this.#sharing;
    const waitMs = Math.min(
      this.#load.waitMs(ahead.all, tokens),
      this.#load.waitMs(ahead.own * holders, tokens * holders),
    );
    if (this.#queue.size > 0 || this.#load.batches > 0) {
      const tooLate = () => this.#shed("too_late", rows, call);
      // What a call has asked for itself, here or before, is no queue that it has met.
      admit(Math.min(this.#load.waitMs(ahead.others, 0), waitMs), maxWaitMs, tooLate);
      const ownMs = this.#load.waitMs(0, tokens) - this.#load.waitMs(0, 0);
      admit(ownMs + MARGIN * (waitMs - ownMs), deadlineMs - nowMs, tooLate);
    }
    return nowMs + waitMs;
  }

  /** A warming that has to wait is no caller who was turned away. */
  #shed(reason: ShedReason, rows: number, call: Call | undefined): void {
    if (!call?.isUnasked) this.#options.events.shed(reason, rows);
  }

  #dispatch(): void {
    const { maxInFlight, policy, limits } = this.#options;
    while (this.#load.batches < maxInFlight) {
      const first = this.#queue.first();
      if (first === undefined) return;
      const { row, place } = first;
      if (this.#isOutrun(row)) {
        this.#queue.take({ start: place, end: place + 1 });
        this.#shed("outrun", 1, row.call);
        row.settle({ status: "rejected", reason: outrun() });
        continue;
      }
      const { free, fixedTokens } = this.#load;
      const budget = budgetOf(policy, { queued: this.#queue.size, free, fixedTokens }, limits);
      const batch = this.#queue.take(planBatch(this.#queue.lengths(), place, budget));
      void this.#runBatch(batch);
    }
  }

  /** Its caller would have left before its answer: what the backend does for it is lost for those who still wait. */
  #isOutrun({ deadlineMs, ids }: WaitingRow): boolean {
    if (this.#load.batches === 0 && this.#queue.size === 1) return false;
    const nowMs = this.#clock.now();
    return nowMs + this.#load.waitMs(0, ids.length) > deadlineMs;
  }

  async #runBatch(batch: readonly WaitingRow[]): Promise<void> {
    const ids = batch.map((row) => row.ids);
    const size = sizeOf(ids.map(({ length }) => length));
    this.#load.began(size);
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
    const isWhole = outcomes.every(({ status }) => status === "fulfilled");
    const isBusy = this.#queue.size > 0;
    this.#load.ended(size, isWhole ? inferenceMs : undefined, endedMs, isBusy);
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
