import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import type { Outcome } from "../sentiment.js";
import type { Chunks } from "./chunks.js";
import { CommandError } from "./faults.js";
import type { FileArguments } from "./file-arguments.js";
import type { Format, Row, Table } from "./format.js";
import { decoded, MAX_RECORD_LENGTH, markOff } from "./lines.js";
import { float32 } from "./output.js";

const ADDED = ["label", "score", "confidence", "error"];

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** A header, and records under it; columns go behind those that are there. */
export const csvFormat = (wanted: FileArguments): Format => ({
  hasHead: true,
  hasQuotes: true,
  open: (input) => openTable(input, wanted),
});

async function openTable(input: Chunks, wanted: FileArguments): Promise<Table> {
  const { delimiter, prefix } = wanted;
  const { mark, chunks } = await markOff(decoded(input.bytes, input.name, true));
  const records = recordsOf(chunks, input.name, delimiter);
  const first = await records.next();
  if (first.done) throw new CommandError(`${input.name} is empty: a CSV begins with a header`);
  const header = first.value.record;
  const place = placeOf(header, wanted, input.name);
  const head = mark + lineOf([...header, ...ADDED.map((name) => `${prefix}_${name}`)], delimiter);
  const rows = async function* () {
    for await (const { record, info } of records) {
      if (isBlank(record) && header.length > 1) continue;
      if (record.length !== header.length)
        throw new CommandError(
          `${input.name}, line ${info.lines}: ${record.length} fields where the header has ${header.length}`,
          1,
        );
      yield rowOf(record, place, delimiter);
    }
  };
  return { head, rows: rows() };
}

const isBlank = (record: readonly string[]) => record.length === 1 && record[0] === "";

/** Where the text is. */
function placeOf(header: readonly string[], wanted: FileArguments, name: string): number {
  const { column, prefix } = wanted;
  const columns = header.map((one) => `"${one}"`).join(", ");
  const place = header.indexOf(column);
  if (place < 0)
    throw new CommandError(`${name} has no column "${column}": choose by --column from ${columns}`);
  if (header.lastIndexOf(column) !== place)
    throw new CommandError(`${name} has two columns "${column}": rename one`);
  const taken = ADDED.map((one) => `${prefix}_${one}`).find((one) => header.includes(one));
  if (taken)
    throw new CommandError(`${name} has a column "${taken}" already: choose another --prefix`);
  return place;
}

const rowOf = (record: readonly string[], place: number, delimiter: string): Row => ({
  text: record[place] ?? "",
  encode: (outcome) => lineOf([...record, ...addedOf(outcome)], delimiter),
  wrote: (line) => {
    const written = fieldsOf(line, delimiter);
    return (
      written.length === record.length + ADDED.length &&
      record.every((field, index) => field === written[index])
    );
  },
});

/** None where it is no record. */
function fieldsOf(line: string, delimiter: string): readonly string[] {
  try {
    const [fields = []] = parseSync(line, optionsOf(delimiter)) as unknown as string[][];
    return fields;
  } catch (error) {
    if (error instanceof CsvError) return [];
    throw error;
  }
}

/** As `ADDED` names them. */
function addedOf({ sentiment, error }: Outcome): readonly string[] {
  if (error) return ["", "", "", error.reason ?? error.code];
  const { label, score, confidence } = sentiment;
  return [label.toUpperCase(), String(float32(score)), String(float32(confidence)), ""];
}

/** A carriage return at the end of a line would be taken for a part of that end. */
const lineOf = (fields: readonly string[], delimiter: string): string =>
  stringify([[...fields]], { delimiter, quoted_match: /\r/ });

const optionsOf = (delimiter: string) => ({
  delimiter,
  record_delimiter: ["\r\n", "\n"],
  // Counted here, where the header is known.
  relax_column_count: true,
  max_record_size: MAX_RECORD_LENGTH,
});

async function* recordsOf(
  chunks: AsyncIterable<string>,
  name: string,
  delimiter: string,
): AsyncGenerator<Parsed> {
  const parser = parse({ ...optionsOf(delimiter), info: true });
  // What fails is thrown to whoever reads.
  pipeline(chunks, parser, () => {});
  try {
    yield* parser as AsyncIterable<Parsed>;
  } catch (error) {
    if (error instanceof CsvError) throw new CommandError(`${name}: ${error.message}`, 1);
    throw error;
  }
}
