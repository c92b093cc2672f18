import { type AskBatch, askTexts, type Outcome } from "../api/ask-texts.ts";
import { AskError } from "../api/errors.ts";
import type { Label } from "../api/messages.ts";
import type { Pace } from "../api/pace.ts";
import { batchesOf } from "./batches.ts";
import { BlobWriter } from "./blob-writer.ts";
import { addedColumns, withOutcome } from "./columns.ts";
import type { Row } from "./csv-reader.ts";
import { csvLine } from "./csv-writer.ts";
import { inOrder } from "./in-order.ts";
import { type Rows, readRows } from "./read-rows.ts";
import type { Format } from "./table.ts";

/** Of each result, in front: spreadsheets tell by it that it is UTF-8. */
const MARK = "\ufeff";

export interface RunOptions {
  readonly format: Format;
  readonly columns: readonly string[];
  /** Which of them holds the texts, from 0. */
  readonly column: number;
  /** Texts of a call. */
  readonly batchSize: number;
  /** Calls under way. */
  readonly concurrency: number;
  /** Against formulas in the result. */
  readonly protect: boolean;
}

export interface Progress {
  /** Of the file, as far as its rows are answered. */
  readonly doneBytes: number;
  readonly rows: number;
  readonly failed: number;
  readonly labels: Readonly<Record<Label, number>>;
}

const NOTHING: Progress = {
  doneBytes: 0,
  rows: 0,
  failed: 0,
  labels: { LABEL_NEGATIVE: 0, LABEL_NEUTRAL: 0, LABEL_POSITIVE: 0 },
};

/** How a run ended: `result` has the rows that were answered until then, in the file's order. */
export interface Ended {
  readonly result: Blob;
  readonly progress: Progress;
  /** Why it ended early; undefined: it did not. */
  readonly error: unknown;
}

/** Never rejects. */
export async function runFile(
  file: Blob,
  options: RunOptions,
  ask: AskBatch,
  pace: Pace,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Ended> {
  const { format, columns, column, batchSize, concurrency, protect } = options;
  const style = { delimiter: format.delimiter || ",", protect };
  const result = new BlobWriter();
  result.write(format.hasMark ? MARK : "");
  result.write(csvLine([...columns, ...addedColumns(columns)], style));
  let progress = NOTHING;
  // So that calls that are under way end when one of them ends it all.
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const rows = bodyOf(readRows(file, format), format.hasHeader);
  const answered = inOrder(batchesOf(rows, column, batchSize), concurrency, async (batch) => {
    const texts = batch.rows.map((row) => row[column] ?? "");
    return { batch, outcomes: await askTexts(texts, ask, pace, either) };
  });
  try {
    for await (const { batch, outcomes } of answered) {
      signal.throwIfAborted();
      for (const [at, row] of batch.rows.entries()) {
        const outcome = outcomes[at];
        if (outcome) result.write(csvLine(withOutcome(row, columns.length, outcome), style));
      }
      progress = added(progress, outcomes, batch.readBytes);
      onProgress(progress);
    }
    return { result: result.blob("text/csv"), progress, error: undefined };
  } catch (error) {
    over.abort();
    return { result: result.blob("text/csv"), progress, error };
  }
}

/** Without the header. */
async function* bodyOf(source: AsyncIterable<Rows>, hasHeader: boolean): AsyncGenerator<Rows> {
  let isHeader = hasHeader;
  for await (const { rows, readBytes } of source) {
    const skip = isHeader && rows.length > 0;
    const body: readonly Row[] = skip ? rows.slice(1) : rows;
    if (skip) isHeader = false;
    yield { rows: body, readBytes };
  }
}

function added(before: Progress, outcomes: readonly Outcome[], doneBytes: number): Progress {
  const labels = { ...before.labels };
  let failed = before.failed;
  for (const outcome of outcomes) {
    if (outcome instanceof AskError) failed++;
    else labels[outcome.label]++;
  }
  return { doneBytes, rows: before.rows + outcomes.length, failed, labels };
}
