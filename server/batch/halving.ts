/** Runs rows of token ids; one result a row, in their order. */
export type RunRows<Result> = (rows: readonly (readonly number[])[]) => Promise<readonly Result[]>;

/**
 * Runs a batch, and where it fails halves it until the row that breaks the model stands alone: only that row fails.
 * `blames` says whether an error can be a row's doing; any other error fails all rows at once, without further tries.
 * Never rejects: every outcome goes to its row. A batch with one bad row among n costs about 2 log2(n) further runs.
 */
export async function runHalving<Result>(
  rows: readonly (readonly number[])[],
  run: RunRows<Result>,
  blames: (error: unknown) => boolean,
): Promise<PromiseSettledResult<Result>[]> {
  try {
    const results = await run(rows);
    if (results.length !== rows.length)
      throw new Error(`${rows.length} rows went in, ${results.length} came out`);
    return results.map((value) => ({ status: "fulfilled", value }));
  } catch (reason) {
    if (rows.length <= 1 || !blames(reason))
      return rows.map(() => ({ status: "rejected", reason }));
    const middle = rows.length >> 1;
    const first = await runHalving(rows.slice(0, middle), run, blames);
    return [...first, ...(await runHalving(rows.slice(middle), run, blames))];
  }
}
