import { type Call, holderOf } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { Gathered } from "../core/gathered.js";
import type { Tier } from "../core/tiers.js";
import { Admission, type AdmissionOptions, outrun } from "./admission.js";
import { sizeOf } from "./cost.js";
import { tellShed } from "./events.js";
import { runHalving } from "./halving.js";
import { Load } from "./load.js";
import { type BatchLimits, type BatchPolicy, budgetOf, planBatch } from "./plan.js";
import { type Outcome, type RowResult, settleRow, tokensOf, type WaitingRow } from "./row.js";
import { byLength, RowQueue } from "./row-queue.js";
import { BatchContext, type RunContext } from "./run-context.js";
import { Sharing } from "./sharing.js";
import type { Singles } from "./singles.js";

export interface BatcherOptions extends AdmissionOptions {
  readonly limits: BatchLimits;
  readonly policy: BatchPolicy;
  /** Batches that the backend runs side by side. */
  readonly concurrency: number;
  /** Batches that it takes at once, at least as many. */
  readonly maxInFlight: number;
  /** Milliseconds that those may take by estimate which it has when it gets one that it cannot run at once; unset: any. */
  readonly maxAheadMs?: number | undefined;
  /** What a batch costs before its first token, in tokens; unset or undefined: it is learned. */
  readonly fixedTokens?: number | undefined;
  /** Of those who ask for any model of the process. */
  readonly singles: Singles;
  /** Whether an error of the model can be the doing of a single row. */
  readonly blames: (error: unknown) => boolean;
  /** Of the model: what it reads is charged to the calls by it; unset: to nobody. */
  readonly tier?: Tier;
}

/** Runs rows of token ids as one batch; one result a row, in their order. `ranMs`: of the model alone, where that is known. */
export type RunBatch = (
  rows: readonly (readonly number[])[],
  context: RunContext,
) => Promise<{ readonly results: readonly RowResult[]; readonly ranMs?: number | undefined }>;

/**
 * A batch is put together of the rows that are next in turn, of so many times the tokens that it may have. All but one are taken for their length, and so from who has
 * most rows: where several holders have calls, those that are next must be few. The fewer, the more padding (of 800 short rows, 2.7 % and 0.4 % of a token's cost).
 */
const CHOICE = { several: 8, alone: 32 };

/**
 * Gathers rows of many callers into batches of near-equal length, as far as padding costs the model. It never lingers: a free backend takes at once what
 * waits, and what arrives meanwhile is the next batch. So a lone call pays nothing, and load makes full batches by itself.
 *
 * First in turn is who would be done first if the backend were shared evenly: a short text does not wait behind a long one, nor a single one behind
 * a large call, nor one key's calls behind another's many; and since their time goes on with each batch to its first row at least, nothing starves.
 */
export class Batcher {
  readonly #queue: RowQueue<WaitingRow>;
  #arrivals = 0;
  readonly #load: Load;
  readonly #sharing = new Sharing();
  readonly #admission: Admission;
  readonly #run: RunBatch;
  readonly #options: BatcherOptions;
  readonly #clock: Clock;

  constructor(run: RunBatch, options: BatcherOptions, clock: Clock) {
    this.#run = run;
    this.#options = options;
    this.#queue = new RowQueue(options.policy === "fifo", options.maxQueuedRows);
    this.#load = new Load(options.concurrency, options.fixedTokens);
    this.#clock = clock;
    const occupancy = { queue: this.#queue, load: this.#load, sharing: this.#sharing };
    this.#admission = new Admission(occupancy, options, clock);
  }

  get queued(): { readonly size: number; readonly tokens: number } {
    return this.#queue;
  }

  /** Milliseconds that a row would wait behind all there is, by estimate, or would if the queue were not kept short; 0 while unknown. */
  get waitMs(): number {
    return this.#admission.waitMs;
  }

  /**
   * Throws OVERLOADED where `submit` would refuse rows of so many tokens now. So a text that cannot be answered in time need not be read first, which is most
   * of the work that a refusal makes.
   */
  admit(rows: number, tokens: number, call: Call): void {
    const newcomer = { call, rows, tokens, isBegun: false };
    if (this.#admission.isSure(newcomer)) return;
    const holder = holderOf(call);
    // Not by `using`: see `analyzer`.
    const part = this.#sharing.enter(holder);
    try {
      this.#admission.admit({ ...newcomer, due: this.#sharing.due(holder, tokens) });
    } finally {
      part[Symbol.dispose]();
    }
  }

  /**
   * One outcome a row, in the order of `rows`; a row that breaks the model is rejected alone. Rejects as a whole with
   * OVERLOADED, or with the signal's reason when the caller leaves: rows that still wait then take no place in a batch. `isBegun`: other rows of the call were
   * submitted before.
   */
  async submit(
    rows: readonly (readonly number[])[],
    call: Call,
    isBegun = false,
  ): Promise<Outcome[]> {
    const { signal } = call;
    signal.throwIfAborted();
    if (rows.length === 0) return [];
    const { isBulk, isUnasked } = call.origin;
    if (!isBulk && !isUnasked) this.#options.singles.came(this.#clock.now());
    const part = this.#sharing.enter(holderOf(call));
    try {
      const outcomes = new Gathered<Outcome>(rows.length);
      const mine = this.#waitingRows(rows, call, outcomes);
      this.#admit(mine, isBegun);
      for (const row of mine) this.#queue.insert(row);
      // After the caller's turn: the rows of calls that arrived together then form one batch. Where the backend has enough, the end of a batch sees to it.
      if (this.#takesOne) queueMicrotask(() => this.#dispatch());
      // One listener a call, not one a row. Awaited here: the part is the call's until it is answered.
      return await outcomes.orAbort(signal, () => {
        this.#queue.remove(mine);
        for (const { context } of mine) context?.leave();
      });
    } finally {
      part[Symbol.dispose]();
    }
  }

  /** In the order of `rows`. When they are due is not known yet. */
  #waitingRows(
    rows: readonly (readonly number[])[],
    call: Call,
    outcomes: Gathered<Outcome>,
  ): readonly WaitingRow[] {
    const sinceMs = this.#clock.now();
    return rows.map((ids, place) => {
      const order = this.#arrivals++;
      const settle = (outcome: Outcome) => outcomes.put(place, outcome);
      const [due, context] = [0, undefined];
      return { ids, order, sinceMs, due, call, context, settle };
    });
  }

  /**
   * Says when the rows of a call are due: shorter ones before longer ones. The last when all that its holder has waiting would be done, at the latest: a large call is not
   * put off by ever more small ones. And each before it by so much sooner as those after it take: rows that are all due at once would have whoever comes then wait for all
   * of them. Throws OVERLOADED as Admission does.
   */
  #admit(rows: readonly WaitingRow[], isBegun: boolean): void {
    const longFirst = rows.toSorted((one, other) => byLength(other, one));
    const [last] = longFirst;
    if (last === undefined) return;
    const { call } = last;
    const holder = holderOf(call);
    let tokens = tokensOf(rows);
    const due = this.#sharing.due(holder, tokens);
    const newcomer = { call, due, rows: rows.length, tokens, isBegun };
    let latest = this.#admission.admit(newcomer);
    for (const row of longFirst) {
      row.due = Math.min(this.#sharing.due(holder, tokens), latest);
      tokens -= row.ids.length;
      latest -= row.ids.length;
    }
  }

  #dispatch(): void {
    const { policy, limits, events, singles } = this.#options;
    while (this.#takesOne) {
      const { first } = this.#queue;
      if (first === undefined) return;
      if (this.#isOutrun(first)) {
        this.#queue.take([first]);
        tellShed(events, "outrun", 1, first.call);
        first.settle({ status: "rejected", reason: outrun() });
        continue;
      }
      const { free, fixedTokens, msPerToken } = this.#load;
      const isBulk = singles.areGone(this.#clock.now());
      const moment = { queued: this.#queue.size, free, fixedTokens, msPerToken, isBulk };
      const budget = budgetOf(policy, moment, limits);
      const choice = this.#sharing.holders > 1 ? CHOICE.several : CHOICE.alone;
      const rows = this.#queue.next(choice * budget.work);
      const lengths = rows.map(({ ids }) => ids.length);
      const { start, end } = planBatch(lengths, rows.indexOf(first), budget);
      const batch = rows.slice(start, end);
      this.#queue.take(batch);
      this.#sharing.served(tokensOf(batch), first.due, this.#queue.first?.due);
      void this.#runBatch(batch);
    }
  }

  /** The backend, another batch. */
  get #takesOne(): boolean {
    const { concurrency, maxInFlight, maxAheadMs = Number.POSITIVE_INFINITY } = this.#options;
    const { batches } = this.#load;
    if (batches < concurrency) return true;
    return batches < maxInFlight && this.#load.ownMs <= maxAheadMs;
  }

  /** Its caller would have left before its answer: what the backend does for it is lost for those who still wait. */
  #isOutrun({ call, ids }: WaitingRow): boolean {
    if (this.#load.batches === 0 && this.#queue.size === 1) return false;
    const nowMs = this.#clock.now();
    return nowMs + this.#load.waitMs(0, ids.length) > call.deadlineMs;
  }

  async #runBatch(batch: readonly WaitingRow[]): Promise<void> {
    const { blames, events, limits, tier } = this.#options;
    const ids = batch.map((row) => row.ids);
    const lengths = ids.map(({ length }) => length);
    const size = sizeOf(lengths, limits.paddingCost);
    this.#load.began(size);
    const startedMs = this.#clock.now();
    const paddingRatio = 1 - size.tokens / (size.longest * batch.length);
    const context = new BatchContext(batch, {
      "sentiment.batch_rows": batch.length,
      "sentiment.bucket_tokens": size.longest,
      "sentiment.padding_ratio": paddingRatio,
    });
    for (const row of batch) row.context = context;
    let ranMs: number | undefined;
    const run = async (rows: readonly (readonly number[])[]) => {
      const ran = await this.#run(rows, context);
      if (ran.ranMs !== undefined) ranMs = (ranMs ?? 0) + ran.ranMs;
      return ran.results;
    };
    const outcomes = await runHalving(ids, run, blames);
    context.end();
    const endedMs = this.#clock.now();
    const inferenceMs = ranMs ?? endedMs - startedMs;
    const isWhole = outcomes.every(({ status }) => status === "fulfilled");
    const isBusy = this.#queue.size > 0;
    this.#load.ended(size, isWhole ? inferenceMs : undefined, endedMs, isBusy);
    this.#dispatch();
    const ran = { rows: batch.length, paddingRatio, inferenceMs };
    for (const [place, row] of batch.entries()) {
      row.context = undefined;
      const queueMs = settleRow(row, outcomes[place], ran, endedMs);
      if (queueMs === undefined) continue;
      events.waited(queueMs);
      // Also where its caller has left meanwhile: the model has worked for him.
      if (tier !== undefined) row.call.charge?.read(tier, row.ids.length);
    }
    if (outcomes.some(({ status }) => status === "fulfilled")) events.ran(ran);
  }
}
