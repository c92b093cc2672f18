import type { Outcome } from "../sentiment.js";
import type { Chunks } from "./chunks.js";

/** A record of the input. */
export interface Row {
  readonly text: string;
  /** The record with its answer, as it is written; it ends with a newline. */
  encode(outcome: Outcome): string;
  /** Whether `record`, a whole one of an output, was made of this row. */
  wrote(record: string): boolean;
}

export interface Table {
  /** What stands in the output before its first record: a CSV's header. */
  readonly head: string;
  /** Throws CommandError for a record that cannot be read: the message says where it stands. */
  readonly rows: AsyncIterable<Row>;
}

export interface Format {
  /** Reads no further than `head` needs. Throws CommandError where the input lacks what was asked for. */
  open(input: Chunks): Promise<Table>;
  /** An output begins with a record that is not one of the input: its header. */
  readonly hasHead: boolean;
  /** Newlines between quotes do not end a record. */
  readonly hasQuotes: boolean;
}
