import { workOf } from "./cost.js";

/** What a batch may be. */
export interface BatchLimits {
  /** Rows of a batch while the queue is neither short nor long. */
  readonly rows: number;
  /** Rows of a batch while fewer than 10 rows wait. */
  readonly minRows: number;
  /** The most rows of a batch, however many wait. */
  readonly maxRows: number;
  /** As RunSize has it: bounds the time of one batch, and its memory as far as padding costs something. */
  readonly maxWork: number;
  /** Share of a batch's work that may be padding, 0 to 1. */
  readonly maxPaddingRatio: number;
  /** What a padded token costs the model of one that is read, 0 to 1: of most models as much. */
  readonly paddingCost: number;
  /** As Backend has it. */
  readonly worthwhileTokens?: number | undefined;
}

/**
 * What goes into a batch: `cost`: rows of near-equal length, as far as padding costs the model, those that cost least a token, and a part for each free place of the backend; `guide`: rows of
 * near-equal length, by the queue's length; `fifo`: rows as they came, padded to the longest; `single`: each row alone.
 */
export type BatchPolicy = "cost" | "guide" | "fifo" | "single";

/** What is known when a batch is put together. */
export interface BatchMoment {
  /** Rows that wait, at least one. */
  readonly queued: number;
  /** Batches that the backend takes now, at least one. */
  readonly free: number;
  /** What a batch costs before its first token, in tokens; undefined while it is not known. */
  readonly fixedTokens: number | undefined;
  /** Milliseconds that a token has cost of late; undefined while it is not known. */
  readonly msPerToken: number | undefined;
  /** Nobody asks for single texts. */
  readonly isBulk: boolean;
}

/** What one batch may be. */
export interface Budget {
  readonly rows: number;
  /** As RunSize has it. */
  readonly work: number;
  /** Share of that which may be padding, 0 to 1. */
  readonly paddingRatio: number;
  /** Of a token that is read, 0 to 1. */
  readonly paddingCost: number;
  /** What the batch costs before its first token, in tokens: of all it may be it is what costs least a token. Undefined: the most it may be. */
  readonly fixedTokens?: number | undefined;
}

/** A batch of so many times its fixed cost is only a thirtieth dearer a token than an endless one, and its callers wait less. */
const WORTHWHILE = 30;
/** Milliseconds: one that is done so soon may be larger: handing it over costs what the model does not tell, and who comes next hardly waits longer (docs/decisions.md 75). */
const BRIEF_MS = 20;
/** The same where nobody asks for single texts. Less than the backend may have ahead of a batch (core/thread-pool.ts), else its threads would wait for each (docs/decisions.md 84). */
const BRIEF_BULK_MS = 40;

export function budgetOf(policy: BatchPolicy, moment: BatchMoment, limits: BatchLimits): Budget {
  const { queued, free, fixedTokens } = moment;
  const { maxWork: work, maxPaddingRatio: paddingRatio, paddingCost } = limits;
  const near = { work, paddingRatio, paddingCost };
  switch (policy) {
    case "cost":
      return {
        ...near,
        // A batch of all that waits would leave the other places idle.
        rows: Math.min(limits.maxRows, Math.ceil(queued / free)),
        work: Math.min(work, worthwhileTokens(moment, limits)),
        fixedTokens,
      };
    case "guide":
      return { ...near, rows: adaptedRows(queued, limits) };
    case "fifo":
      return { rows: limits.rows, work: Number.POSITIVE_INFINITY, paddingRatio: 1, paddingCost };
    case "single":
      return { ...near, rows: 1 };
  }
}

/** Tokens beyond which a batch only takes longer, padding by what it costs. */
function worthwhileTokens(
  { fixedTokens, msPerToken, isBulk }: BatchMoment,
  { worthwhileTokens: known }: BatchLimits,
): number {
  if (fixedTokens === undefined) return Number.POSITIVE_INFINITY;
  const worthwhile = known ?? WORTHWHILE * fixedTokens;
  const briefMs = isBulk ? BRIEF_BULK_MS : BRIEF_MS;
  return Math.max(worthwhile, msPerToken === undefined ? 0 : briefMs / msPerToken);
}

/** Rows `start` up to, not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Rows a batch may have while `queued` rows wait: few when it is calm, so that answers come soon; many when it is not. */
export function adaptedRows(queued: number, limits: BatchLimits): number {
  if (queued > 100) return Math.min(limits.maxRows, Math.floor(queued / 4));
  if (queued < 10) return limits.minRows;
  return limits.rows;
}

/**
 * The next batch: the row that is first in turn, and the rows nearest to it in length. So a short row is never padded to a far longer
 * one, unless that costs little. Pure: same queue, same answer.
 *
 * @param lengths tokens of each waiting row, at least one; ascending, or in whatever order rows are to stay together
 * @param first place in `lengths` of the row that is first in turn; it always goes, even alone over the budget
 */
export function planBatch(lengths: readonly number[], first: number, budget: Budget): Range {
  let best: { readonly range: Range; readonly cost: number } | undefined;
  for (const { range, work, tokens } of batchesAround(lengths, first, budget)) {
    const cost = costOf(work, tokens, budget);
    if (best === undefined || cost <= best.cost) best = { range, cost };
  }
  return best?.range ?? { start: first, end: first + 1 };
}

/** The row alone, then with its nearest neighbour in length, and so on up to the budget. */
function* batchesAround(lengths: readonly number[], first: number, budget: Budget) {
  let range: Range = { start: first, end: first + 1 };
  let longest = lengths[first] ?? 0;
  let tokens = longest;
  let work = tokens;
  while (true) {
    yield { range, work, tokens };
    const wider = withNearest(lengths, range);
    if (wider === undefined) return;
    const added = lengths[wider.start < range.start ? wider.start : range.end] ?? 0;
    tokens += added;
    longest = Math.max(longest, added);
    const rows = wider.end - wider.start;
    work = workOf(tokens, longest * rows, budget.paddingCost);
    // The nearest neighbour does not fit: a farther one would pad more.
    if (!fits(rows, work, tokens, budget)) return;
    range = wider;
  }
}

const fits = (rows: number, work: number, tokens: number, budget: Budget): boolean =>
  rows <= budget.rows && work <= budget.work && work - tokens <= work * budget.paddingRatio;

/** What a token of a text costs, padding and fixed parts included; nothing where that is not asked. */
const costOf = (work: number, tokens: number, { fixedTokens }: Budget): number =>
  fixedTokens === undefined ? 0 : (fixedTokens + work) / tokens;

/** The range and the row next to it that is nearer in length; undefined when it has all rows. */
function withNearest(lengths: readonly number[], { start, end }: Range): Range | undefined {
  const shorter = lengths[start - 1];
  const longer = lengths[end];
  if (shorter === undefined && longer === undefined) return undefined;
  const down = (lengths[start] ?? 0) - (shorter ?? Number.NEGATIVE_INFINITY);
  const up = (longer ?? Number.POSITIVE_INFINITY) - (lengths[end - 1] ?? 0);
  return down <= up ? { start: start - 1, end } : { start, end: end + 1 };
}
