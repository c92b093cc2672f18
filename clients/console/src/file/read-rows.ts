import { CsvReader, type Row } from "./csv-reader.ts";
import type { Format } from "./table.ts";

/** Some rows of a file that follow each other. */
export interface Rows {
  readonly rows: readonly Row[];
  /** Bytes of the file that have been read with them. */
  readonly readBytes: number;
}

/** Rows of the file from its beginning, its header among them; no more of it is in memory than they are. */
export async function* readRows(
  file: Blob,
  { encoding, delimiter }: Pick<Format, "encoding" | "delimiter">,
): AsyncGenerator<Rows> {
  const reader = new CsvReader(delimiter);
  const decoder = new TextDecoder(encoding);
  let readBytes = 0;
  for await (const chunk of chunksOf(file)) {
    readBytes += chunk.byteLength;
    yield { rows: reader.push(decoder.decode(chunk, { stream: true })), readBytes };
  }
  yield { rows: [...reader.push(decoder.decode()), ...reader.end()], readBytes };
}

/** Not every browser iterates over streams. */
async function* chunksOf(file: Blob): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Also where nobody wants the rest.
    await reader.cancel();
  }
}
