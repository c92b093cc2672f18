import { CsvReader, type Row } from "./csv-reader.ts";

/** How a file is to be read. */
export interface Format {
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
  /** Of one character; "": each line is one text. */
  readonly delimiter: string;
  /** The first line names the columns. */
  readonly hasHeader: boolean;
  /** It begins with a byte order mark; the result then does, too. */
  readonly hasMark: boolean;
}

/** What the beginning of a file shows. */
export interface Preview {
  readonly format: Format;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** The column that looks most like text. */
  readonly textColumn: number;
}

const PREVIEW_BYTES = 256 * 1024;
const PREVIEW_ROWS = 5;
const GUESS_ROWS = 50;
const DELIMITERS = [",", ";", "\t", "|"];
const TEXT_NAMES = /^(text|review|comment|message|body|content|tweet|sentence|feedback)s?$/i;

/** Looks at the beginning of the file only. */
export async function previewOf(file: File): Promise<Preview> {
  const head = new Uint8Array(await file.slice(0, PREVIEW_BYTES).arrayBuffer());
  const encoding = encodingOf(head);
  const text = new TextDecoder(encoding).decode(head);
  const isLines = /\.(txt|text)$/i.test(file.name);
  const delimiter = isLines ? "" : delimiterOf(text);
  const hasMark = encoding.startsWith("utf-16") || hasUtf8Mark(head);
  const format = { encoding, delimiter, hasHeader: !isLines, hasMark };
  return previewAs(text, format);
}

/** The same beginning, read in another way. */
export async function previewAgain(file: File, format: Format): Promise<Preview> {
  const head = await file.slice(0, PREVIEW_BYTES).arrayBuffer();
  return previewAs(new TextDecoder(format.encoding).decode(head), format);
}

function previewAs(text: string, format: Format): Preview {
  const reader = new CsvReader(format.delimiter);
  const all = reader.push(text);
  // A file that ends within the preview may have no last line break.
  const rows = all.length <= PREVIEW_ROWS ? [...all, ...reader.end()] : all;
  const body = format.hasHeader ? rows.slice(1) : rows;
  const columns = columnsOf(rows, format.hasHeader);
  const textColumn = textColumnOf(columns, body.slice(0, GUESS_ROWS));
  return { format, columns, rows: body.slice(0, PREVIEW_ROWS), textColumn };
}

function columnsOf(rows: readonly Row[], hasHeader: boolean): readonly string[] {
  const [first = []] = rows;
  if (!hasHeader && first.length === 1) return ["text"];
  return first.map((name, at) => (hasHeader && name.trim() !== "" ? name : `column ${at + 1}`));
}

/** By name, else the one with the longest cells. */
function textColumnOf(columns: readonly string[], rows: readonly Row[]): number {
  const named = columns.findIndex((name) => TEXT_NAMES.test(name.trim()));
  if (named !== -1) return named;
  const lengths = columns.map((_, at) =>
    rows.reduce((sum, row) => sum + (row[at] ?? "").length, 0),
  );
  return Math.max(0, lengths.indexOf(Math.max(...lengths)));
}

/** The one that cuts the most lines into the same number of cells, as the first line is. */
function delimiterOf(text: string): string {
  const scores = DELIMITERS.map((delimiter) => {
    const rows = new CsvReader(delimiter).push(`${text}\n`).slice(0, GUESS_ROWS);
    const width = rows[0]?.length ?? 1;
    const alike = rows.filter((row) => row.length === width).length;
    return width === 1 ? 0 : alike / rows.length + width / 1000;
  });
  return DELIMITERS[scores.indexOf(Math.max(...scores))] ?? ",";
}

function encodingOf(head: Uint8Array): Format["encoding"] {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  try {
    // A character may be cut in two at the end of the beginning.
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}

const hasUtf8Mark = (head: Uint8Array): boolean =>
  head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
