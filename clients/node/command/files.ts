import { type FileHandle, open, stat } from "node:fs/promises";
import { type Chunks, openInput } from "./chunks.js";
import { csvFormat } from "./csv.js";
import { examine, type Written } from "./examine.js";
import { CommandError, messageOf } from "./faults.js";
import type { FileArguments } from "./file-arguments.js";
import type { Format, Row, Table } from "./format.js";
import { jsonLinesFormat } from "./json-lines.js";
import { FileSink, type Sink, streamSink } from "./sink.js";
import { textFormat } from "./text.js";

const FORMATS: Readonly<Record<FileArguments["format"], (wanted: FileArguments) => Format>> = {
  csv: csvFormat,
  jsonl: jsonLinesFormat,
  text: ({ json }) => textFormat(json),
};

/** An input that can be read, and an output that may be written; nothing is written yet. */
export interface Job {
  readonly input: Chunks;
  readonly table: Table;
  /** What an earlier run has left. */
  readonly written: Written;
}

const NOTHING: Written = { records: 0, end: 0, head: "", last: "" };

/** Throws CommandError for a file that cannot be used, and an output that the input does not fit to. */
export async function openJob(files: FileArguments): Promise<Job> {
  await refuseOutput(files);
  const format = FORMATS[files.format](files);
  const input = await openInput(files.input);
  const table = await format.open(input);
  const { output, resume } = files;
  const written = output && resume ? await examine(output, format) : NOTHING;
  if (written.end > 0 && written.head !== table.head)
    throw new CommandError(
      `${output} has other columns than this run would write: --resume goes on with the output of the same command only`,
    );
  return { input, table, written };
}

async function refuseOutput({ input, output, resume, force }: FileArguments): Promise<void> {
  const there = output === undefined ? undefined : await stat(output).catch(() => undefined);
  if (there === undefined) return;
  const read = input === undefined ? undefined : await stat(input).catch(() => undefined);
  if (read && read.dev === there.dev && read.ino === there.ino)
    throw new CommandError(`--output ${output} is the input: choose another file`);
  if (!resume && !force)
    throw new CommandError(`${output} exists: --resume goes on with it, --force writes it anew`);
}

/** The rows that are not in the output yet. Throws CommandError where the input is not the one that it was made of. */
export async function rowsLeft(
  { written }: Job,
  rows: AsyncIterable<Row>,
  output: string | undefined,
  skipped: () => void,
): Promise<AsyncIterable<Row>> {
  const source = rows[Symbol.asyncIterator]();
  let row: Row | undefined;
  for (let count = 0; count < written.records; count++) {
    const { done, value } = await source.next();
    if (done)
      throw new CommandError(`${output} has more records than the input: is it of another?`);
    row = value;
    skipped();
  }
  if (row && !row.wrote(written.last))
    throw new CommandError(
      `${output} was not made of this input: its record ${written.records} is another one`,
    );
  return { [Symbol.asyncIterator]: () => source };
}

/** Behind the last whole record, or, where there is none, behind a new header. */
export async function openSink({ output, resume }: FileArguments, job: Job): Promise<Sink> {
  const { table, written } = job;
  const sink =
    output === undefined
      ? streamSink(process.stdout)
      : new FileSink(await fileAt(output, resume ? written.end : undefined));
  if (written.end === 0 && table.head !== "") await sink.write(table.head);
  return sink;
}

/** `end`: what is behind it goes; undefined: all goes. */
async function fileAt(output: string, end: number | undefined): Promise<FileHandle> {
  const file = await open(output, end === undefined ? "w" : "a").catch((error) => {
    throw new CommandError(`--output cannot be written (${messageOf(error)})`);
  });
  if (end !== undefined) await file.truncate(end);
  return file;
}
