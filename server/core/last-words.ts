import { writeSync } from "node:fs";

export const STANDARD_OUTPUT = 1;
export const STANDARD_ERROR = 2;

/** A line of the log by a process that is about to end: written at once, from whatever thread. */
export function lastWords(file: number, words: Readonly<Record<string, unknown>>): void {
  const line = { level: "fatal", time: new Date().toISOString(), pid: process.pid, ...words };
  try {
    writeSync(file, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody takes it.
  }
}
