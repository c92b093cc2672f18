import type { Row } from "./csv-reader.ts";
import type { Rows } from "./read-rows.ts";

/** Characters of the texts of one call: the server takes messages of 4 MB. */
const MOST_CHARACTERS = 500_000;

/** Rows that are asked about in one call. */
export interface Batch {
  readonly rows: readonly Row[];
  /** Of the file, up to their end: within what is read at once rows are taken as equally long. */
  readonly readBytes: number;
}

/** Up to `most` rows each, and no more text than one call takes; a row of more than that is a batch of its own. */
export async function* batchesOf(
  source: AsyncIterable<Rows>,
  column: number,
  most: number,
): AsyncGenerator<Batch> {
  let rows: Row[] = [];
  let characters = 0;
  let [before, bytes] = [0, 0];
  for await (const { rows: some, readBytes } of source) {
    for (const [at, row] of some.entries()) {
      const length = (row[column] ?? "").length;
      if (rows.length === most || (rows.length > 0 && characters + length > MOST_CHARACTERS)) {
        yield { rows, readBytes: bytes };
        rows = [];
        characters = 0;
      }
      rows.push(row);
      characters += length;
      bytes = before + ((readBytes - before) * (at + 1)) / some.length;
    }
    before = readBytes;
  }
  if (rows.length > 0) yield { rows, readBytes: bytes };
}
