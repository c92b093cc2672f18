import type { Call } from "../core/call.js";

/** Why a row was turned away for load: too many wait, its answer would come too late, or its turn came too late. */
export type ShedReason = "queue_full" | "too_late" | "outrun";

/** A batch that some answers came of. */
export interface BatchRun {
  readonly rows: number;
  /** Share of it that was padding, 0 to 1. */
  readonly paddingRatio: number;
  /** Of the model, for the whole batch. */
  readonly inferenceMs: number;
}

/** What happens to rows; for metrics. Must not throw. */
export interface BatchEvents {
  ran(batch: BatchRun): void;
  /** How long a row that is answered now has waited, as `RowAnswer.queueMs`. */
  waited(queueMs: number): void;
  /** So many rows were turned away. */
  shed(reason: ShedReason, rows: number): void;
}

/** A warming that has to wait is no caller who was turned away. */
export function tellShed(
  events: BatchEvents,
  reason: ShedReason,
  rows: number,
  { origin }: Call,
): void {
  if (!origin.isUnasked) events.shed(reason, rows);
}
