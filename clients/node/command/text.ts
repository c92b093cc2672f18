import type { Outcome } from "../sentiment.js";
import type { Format, Row } from "./format.js";
import { decoded, linesOf, markOff } from "./lines.js";
import { jsonLine, textLine } from "./output.js";

/** A text a line; out goes a line for a person, or a JSON object, for each. */
export const textFormat = (json: boolean): Format => ({
  hasHead: false,
  hasQuotes: false,
  async open({ name, bytes }) {
    const rows = async function* () {
      const { chunks } = await markOff(decoded(bytes, name, false));
      for await (const line of linesOf(chunks, name)) yield textRow(line, json);
    };
    return { head: "", rows: rows() };
  },
});

export const textRow = (text: string, json: boolean): Row => ({
  text,
  encode: (outcome: Outcome) => (json ? jsonLine(outcome) : textLine(outcome)),
  wrote: (record) =>
    json ? textOf(record) === text : record.endsWith(`  ${text}\n`) || record.startsWith("ERROR"),
});

function textOf(record: string): unknown {
  try {
    return JSON.parse(record).text;
  } catch {
    return undefined;
  }
}
