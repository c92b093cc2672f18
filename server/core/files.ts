import { readFile, stat } from "node:fs/promises";
import { mebibytes } from "./units.js";

/** Rejects for what is no file (a pipe or a device may never end), for one over `mostBytes`, and with the system's error. */
export async function checkFile(
  path: string,
  mostBytes: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error("it is no file");
  if (found.size > mostBytes) throw new Error(`it is over ${mebibytes(mostBytes)}`);
}

/** A file's bytes. Rejects as `checkFile` does. */
export async function readWhole(path: string, mostBytes: number): Promise<Buffer> {
  await checkFile(path, mostBytes);
  return readFile(path);
}
