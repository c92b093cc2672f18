import type { Row } from "./csv-reader.ts";

/** What a spreadsheet takes for a formula; a plain number that begins so is none. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?\s*%?$/i;

export interface CsvStyle {
  /** Of one character. */
  readonly delimiter: string;
  /** Put an apostrophe before what a spreadsheet would run. */
  readonly protect: boolean;
}

/** A line of CSV with its line break: cells in quotes where they need them. */
export const csvLine = (row: Row, style: CsvStyle): string =>
  `${row.map((cell) => quoted(style.protect ? harmless(cell) : cell, style.delimiter)).join(style.delimiter)}\r\n`;

export const harmless = (cell: string): string =>
  FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;

function quoted(cell: string, delimiter: string): string {
  const needsQuotes =
    cell.includes(delimiter) || cell.includes('"') || cell.includes("\n") || cell.includes("\r");
  return needsQuotes ? `"${cell.replaceAll('"', '""')}"` : cell;
}
