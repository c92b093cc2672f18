import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

/** JSON lines with ISO times. Texts of users and keys are never logged: callers pass counts, names and errors only. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
