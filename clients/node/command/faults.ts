import { SentimentError } from "../errors.js";
import { USAGE } from "./usage.js";

/** What whoever runs the command has to mend: the message says how. */
export class CommandError extends Error {
  /** 2: before anything was done; 1: after. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The arguments are wrong: the usage is shown as well. */
export class UsageError extends CommandError {}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** What a person is told of an error, and the exit code. Anything else is a bug: it is thrown on. */
export function explain(error: unknown): number {
  if (!(error instanceof CommandError || error instanceof SentimentError || isOfSystem(error)))
    throw error;
  say(error.message);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
  return error instanceof CommandError ? error.exitCode : 1;
}

/** A file or a disk that fails. */
const isOfSystem = (error: unknown): error is Error => error instanceof Error && "syscall" in error;

export function say(words: string): void {
  process.stderr.write(`sentiment: ${words}\n`);
}
