import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { CommandError, messageOf } from "./faults.js";

/** Bytes of an input, read no faster than they are taken. */
export interface Chunks {
  /** For messages. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Its length, of a .gz file as it lies there; 0: not known. */
  readonly size: number;
  /** How many of those have been read. */
  readonly read: () => number;
}

/** undefined: standard input. Throws CommandError where there is no such file. */
export async function openInput(file: string | undefined): Promise<Chunks> {
  return file === undefined ? standardInput() : await fileInput(file);
}

async function fileInput(file: string): Promise<Chunks> {
  const { size } = await stat(file).catch((error) => {
    throw new CommandError(`--input cannot be read (${messageOf(error)})`);
  });
  const stream = createReadStream(file);
  // What fails is thrown to whoever reads.
  const bytes = file.endsWith(".gz") ? pipeline(stream, createGunzip(), () => {}) : stream;
  return { name: file, bytes, size, read: () => stream.bytesRead };
}

function standardInput(): Chunks {
  let read = 0;
  async function* counted() {
    for await (const chunk of process.stdin) {
      read += chunk.length;
      yield chunk;
    }
  }
  return { name: "standard input", bytes: counted(), size: 0, read: () => read };
}
