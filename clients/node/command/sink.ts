import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";

/** Where answers go, record by record. */
export interface Sink {
  write(record: string): Promise<void>;
  /** All that was written is there. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export const streamSink = (stream: NodeJS.WritableStream): Sink => ({
  async write(record) {
    if (!stream.write(record)) await once(stream, "drain");
  },
  async flush() {},
  async close() {},
});

const BLOCK_CHARACTERS = 16 * 1024;
/** A reader of the file is not behind by more, and a process that is killed has lost no more. */
const BLOCK_MS = 500;

/** Whole records, block by block, behind what the file holds. */
export class FileSink implements Sink {
  readonly #file: FileHandle;
  #block: string[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(record: string): Promise<void> {
    this.#block.push(record);
    this.#size += record.length;
    if (this.#size >= BLOCK_CHARACTERS) return await this.flush();
    // What fails then is thrown by the next that waits.
    this.#timer ??= setTimeout(() => this.flush().catch(() => {}), BLOCK_MS);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const block = this.#block.join("");
    this.#block = [];
    this.#size = 0;
    if (block !== "") this.#written = this.#written.then(() => this.#file.appendFile(block));
    return this.#written;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }
}
