/** One line of a table: its cells. */
export type Row = readonly string[];

/**
 * Reads CSV as it comes, in chunks cut anywhere: quoted cells with delimiters, quotes and line breaks in them; lines that end in LF, CRLF or
 * CR; what is no valid quoting is taken as it stands. Lines without anything in them are passed over.
 */
export class CsvReader {
  readonly #delimiter: string;
  readonly #quote: string;
  #row: string[] = [];
  #cell = "";
  #place: "start" | "plain" | "quoted" | "behind" = "start";
  /** The chunk before ended in CR: a LF that comes next belongs to it. */
  #endedInCr = false;

  /** `delimiter` "": each line is one cell, and quotes mean nothing. */
  constructor(delimiter: string) {
    this.#delimiter = delimiter;
    this.#quote = delimiter === "" ? "" : '"';
  }

  /** The rows that end in this chunk. */
  push(chunk: string): Row[] {
    const rows: Row[] = [];
    let at = 0;
    while (at < chunk.length) {
      at = this.#place === "quoted" ? this.#readQuoted(chunk, at) : this.#readOpen(chunk, at, rows);
    }
    return rows;
  }

  /** What stands behind the last line break. */
  end(): Row[] {
    const rows: Row[] = [];
    this.#endRow(rows);
    return rows;
  }

  /** Up to the closing quote; returns where it goes on. */
  #readQuoted(chunk: string, at: number): number {
    const end = chunk.indexOf('"', at);
    if (end === -1) {
      this.#cell += chunk.slice(at);
      return chunk.length;
    }
    this.#cell += chunk.slice(at, end);
    this.#place = "behind";
    return end + 1;
  }

  /** One character outside of quotes, or a run of those that mean nothing. */
  #readOpen(chunk: string, at: number, rows: Row[]): number {
    const character = chunk[at] ?? "";
    const followsCr = this.#endedInCr;
    this.#endedInCr = character === "\r";
    if (character === "\n" && followsCr) return at + 1;
    if (character === "\n" || character === "\r") this.#endRow(rows);
    else if (character === this.#delimiter) this.#endCell();
    else if (character === this.#quote && this.#place !== "plain") this.#openQuote();
    else return this.#readPlain(chunk, at);
    return at + 1;
  }

  /** At the start of a cell, or behind a closing quote, where it stands for one quote. */
  #openQuote(): void {
    if (this.#place === "behind") this.#cell += '"';
    this.#place = "quoted";
  }

  #readPlain(chunk: string, at: number): number {
    let end = at + 1;
    while (end < chunk.length && !this.#isSpecial(chunk[end] ?? "")) end++;
    this.#cell += chunk.slice(at, end);
    this.#place = "plain";
    return end;
  }

  #isSpecial(character: string): boolean {
    return character === "\n" || character === "\r" || character === this.#delimiter;
  }

  #endCell(): void {
    this.#row.push(this.#cell);
    this.#cell = "";
    this.#place = "start";
  }

  #endRow(rows: Row[]): void {
    const isBlank = this.#row.length === 0 && this.#cell === "" && this.#place === "start";
    if (isBlank) return;
    this.#endCell();
    rows.push(this.#row);
    this.#row = [];
  }
}
