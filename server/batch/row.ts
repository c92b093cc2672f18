import type { BatchRun } from "./events.js";
import type { QueuedRow } from "./row-queue.js";
import type { CalledRow } from "./run-context.js";

/** What the model said of one row. */
export interface RowResult {
  /** Unnormalised, one a class. */
  readonly logits: ArrayLike<number>;
  /** Of the model that answered, as in Sentiment.model_version. */
  readonly version: string;
}

/** A result, and what it took. */
export interface RowAnswer extends RowResult {
  /** From its submission to its answer, less the time of the model. */
  readonly queueMs: number;
  /** Of the model, for the whole batch. */
  readonly inferenceMs: number;
  readonly batchRows: number;
  /** Share of the batch that was padding, 0 to 1. */
  readonly paddingRatio: number;
}

export type Outcome = PromiseSettledResult<RowAnswer>;

export interface WaitingRow extends CalledRow, QueuedRow {
  due: number;
  /** Of its batch, while that runs. */
  context: { leave(): void } | undefined;
  readonly sinceMs: number;
  /** Once, by what came of it. */
  readonly settle: (outcome: Outcome) => void;
}

export const tokensOf = (rows: readonly WaitingRow[]): number =>
  rows.reduce((sum, { ids }) => sum + ids.length, 0);

/** Tells a row what came of it in a batch that has ended now; how long an answered one has waited, else undefined. */
export function settleRow(
  row: WaitingRow,
  outcome: PromiseSettledResult<RowResult> | undefined,
  { rows: batchRows, paddingRatio, inferenceMs }: BatchRun,
  nowMs: number,
): number | undefined {
  if (outcome?.status !== "fulfilled") {
    row.settle(outcome ?? { status: "rejected", reason: new Error("no outcome for the row") });
    return undefined;
  }
  const queueMs = Math.max(0, nowMs - row.sinceMs - inferenceMs);
  const { logits, version } = outcome.value;
  const value = { logits, version, queueMs, inferenceMs, batchRows, paddingRatio };
  row.settle({ status: "fulfilled", value });
  return queueMs;
}
