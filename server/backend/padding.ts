import type { TokenBatch } from "./backend.js";

/** Rows of any length as one batch, each padded at its end to the longest. */
export function padded(rows: readonly (readonly number[])[], padId: number): TokenBatch {
  let tokens = 0;
  for (const row of rows) tokens = Math.max(tokens, row.length);
  const inputIds = new BigInt64Array(rows.length * tokens);
  const attentionMask = new BigInt64Array(rows.length * tokens);
  if (padId !== 0) inputIds.fill(BigInt(padId));
  // The lower half of each, which comes first (triton/tensors.ts): ids are less than 2^31, and a BigInt of each would be memory of its own.
  const halves = new Int32Array(inputIds.buffer);
  let start = 0;
  for (const row of rows) {
    for (let place = 0; place < row.length; place++)
      halves[2 * (start + place)] = row[place] ?? padId;
    attentionMask.fill(1n, start, start + row.length);
    start += tokens;
  }
  return { rows: rows.length, tokens, inputIds, attentionMask };
}

/** Row by row, one value a class. Plain numbers: a typed array of three is memory that malloc gives, and the collector gives back. */
export function rowsOf(logits: Float32Array, rows: number): number[][] {
  const classes = logits.length / rows;
  const all: number[][] = [];
  for (let row = 0; row < rows; row++) {
    const values: number[] = [];
    for (let place = row * classes; place < (row + 1) * classes; place++)
      values.push(logits[place] ?? Number.NaN);
    all.push(values);
  }
  return all;
}
