import type { RunBatch } from "../../server/batch/batcher.js";
import type { RowResult } from "../../server/batch/row.js";
import type { RunContext } from "../../server/batch/run-context.js";

/** A function that notes the arguments of its calls, and the list of them. */
export function recorder<Args extends readonly unknown[], Result>(
  answer: (...args: Args) => Result,
): readonly [call: (...args: Args) => Result, calls: readonly Args[]] {
  const calls: Args[] = [];
  const call = (...args: Args): Result => {
    calls.push(args);
    return answer(...args);
  };
  return [call, calls];
}

/** A run of the model that waits until the test answers it. */
export interface HeldRun {
  readonly rows: readonly (readonly number[])[];
  readonly context: RunContext;
  /** Each row's logits tell which row it was (see `echoOf`), unless other results are given. */
  answer(results?: readonly RowResult[]): void;
  fail(error: unknown): void;
}

/** First id and length of a row, as the logits of a model that tells rows apart. */
export const echoOf = (row: readonly number[]): RowResult => ({
  logits: Float32Array.of(row[0] ?? -1, row.length),
  version: "1+echo",
});

/** A model whose runs wait for the test, and the list of them. */
export function heldRuns(): readonly [run: RunBatch, runs: readonly HeldRun[]] {
  const runs: HeldRun[] = [];
  const run: RunBatch = (rows, context) => {
    const { promise, resolve, reject } = Promise.withResolvers<{
      readonly results: readonly RowResult[];
    }>();
    const answer = (results = rows.map(echoOf)) => resolve({ results });
    runs.push({ rows, context, answer, fail: reject });
    return promise;
  };
  return [run, runs];
}

/** Lets all that can go on by itself go on. */
export const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
