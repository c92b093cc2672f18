import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Format } from "./format.js";

/** What a run that was broken off has left in its output. */
export interface Written {
  /** Whole ones, the header left out. */
  readonly records: number;
  /** Where the last whole record ends: what comes after it is torn. */
  readonly end: number;
  /** The header; "" where there is none, or only a part of it. */
  readonly head: string;
  /** The last whole record; "" where there is none. */
  readonly last: string;
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const READ_BYTES = 1024 * 1024;

/** Reads all of it, in little memory. A file that is not there has nothing. */
export async function examine(
  file: string,
  format: Pick<Format, "hasHead" | "hasQuotes">,
): Promise<Written> {
  const handle = await open(file, "r").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return { records: 0, end: 0, head: "", last: "" };
  try {
    const ends = await endsOf(file, format.hasQuotes);
    const headEnd = format.hasHead ? ends.first : 0;
    const records = Math.max(0, format.hasHead ? ends.count - 1 : ends.count);
    return {
      records,
      end: ends.last,
      head: await textAt(handle, 0, headEnd),
      last: records > 0 ? await textAt(handle, ends.beforeLast, ends.last) : "",
    };
  } finally {
    await handle.close();
  }
}

async function endsOf(file: string, hasQuotes: boolean): Promise<RecordEnds> {
  const ends = new RecordEnds(hasQuotes);
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) ends.add(chunk);
  return ends;
}

/** Where records end: so many, the first, the last, and the one before it. */
class RecordEnds {
  count = 0;
  first = 0;
  beforeLast = 0;
  last = 0;
  readonly #hasQuotes: boolean;
  #isQuoted = false;
  #offset = 0;

  constructor(hasQuotes: boolean) {
    this.#hasQuotes = hasQuotes;
  }

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at++) {
      // One inside of quotes is written twice, so each begins or ends a quoted part.
      if (chunk[at] === QUOTE) this.#isQuoted = this.#hasQuotes && !this.#isQuoted;
      else if (chunk[at] === NEWLINE && !this.#isQuoted) this.#endAt(this.#offset + at + 1);
    }
    this.#offset += chunk.length;
  }

  #endAt(end: number): void {
    if (this.count === 0) this.first = end;
    this.count++;
    this.beforeLast = this.last;
    this.last = end;
  }
}

async function textAt(handle: FileHandle, begin: number, end: number): Promise<string> {
  const { buffer } = await handle.read(Buffer.alloc(end - begin), 0, end - begin, begin);
  return buffer.toString();
}
