/** What a batch may be. */
export interface BatchLimits {
  /** Rows of a batch while the queue is neither short nor long. */
  readonly rows: number;
  /** Rows of a batch while fewer than 10 rows wait. */
  readonly minRows: number;
  /** The most rows of a batch, however many wait. */
  readonly maxRows: number;
  /** Longest row times rows, in tokens: bounds the memory and the time of one batch. */
  readonly maxPaddedTokens: number;
  /** Share of a batch that may be padding, 0 to 1: a padded token costs as much as a real one. */
  readonly maxPaddingRatio: number;
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
 * The next batch: the row that has waited longest, and the rows nearest to it in length. So nothing starves, and a short
 * row is never padded to a far longer one. Pure: same queue, same answer.
 *
 * @param lengths tokens of each waiting row, ascending, at least one
 * @param oldest place in `lengths` of the row that has waited longest; it always goes, even alone over the token budget
 */
export function planBatch(lengths: readonly number[], oldest: number, limits: BatchLimits): Range {
  const rowLimit = adaptedRows(lengths.length, limits);
  let range: Range = { start: oldest, end: oldest + 1 };
  let tokens = lengths[oldest] ?? 0;
  while (range.end - range.start < rowLimit) {
    const wider = withNearest(lengths, range);
    if (wider === undefined) break;
    tokens += lengths[wider.start < range.start ? wider.start : range.end] ?? 0;
    // The nearest neighbour does not fit: a farther one would pad more.
    if (!fits(lengths, wider, tokens, limits)) break;
    range = wider;
  }
  return range;
}

/** The range and the row next to it that is nearer in length; undefined when it has all rows. */
function withNearest(lengths: readonly number[], { start, end }: Range): Range | undefined {
  const shorter = lengths[start - 1];
  const longer = lengths[end];
  if (shorter === undefined && longer === undefined) return undefined;
  const down = (lengths[start] ?? 0) - (shorter ?? Number.NEGATIVE_INFINITY);
  const up = (longer ?? Number.POSITIVE_INFINITY) - (lengths[end - 1] ?? 0);
  return down <= up ? { start: start - 1, end } : { start, end: end + 1 };
}

function fits(
  lengths: readonly number[],
  range: Range,
  tokens: number,
  limits: BatchLimits,
): boolean {
  const padded = (lengths[range.end - 1] ?? 0) * (range.end - range.start);
  return padded <= limits.maxPaddedTokens && padded - tokens <= padded * limits.maxPaddingRatio;
}
