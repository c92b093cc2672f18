import { CommandError } from "./faults.js";
import type { FileArguments } from "./file-arguments.js";
import type { Format, Row } from "./format.js";
import { decoded, linesOf, markOff } from "./lines.js";
import { fieldsOf } from "./output.js";

/** An object a line; a field goes into each, and all else stays as it is written: numbers of any length, the order of fields. */
export const jsonLinesFormat = ({ column, prefix }: FileArguments): Format => ({
  hasHead: false,
  hasQuotes: false,
  async open({ name, bytes }) {
    const rows = async function* () {
      const { chunks } = await markOff(decoded(bytes, name, true));
      let number = 0;
      for await (const line of linesOf(chunks, name)) {
        number++;
        if (line.trim() !== "") yield rowOf(line.trim(), `${name}, line ${number}`, column, prefix);
      }
    };
    return { head: "", rows: rows() };
  },
});

function rowOf(line: string, place: string, column: string, prefix: string): Row {
  const object = objectOf(line, place);
  if (Object.hasOwn(object, prefix))
    throw new CommandError(
      `${place}: there is a field "${prefix}" already: choose another --prefix`,
      1,
    );
  const text = (Object.hasOwn(object, column) ? object[column] : undefined) ?? "";
  if (typeof text !== "string")
    throw new CommandError(
      `${place}: the field "${column}" is no text: choose another --column`,
      1,
    );
  const open = line.slice(0, -1).trimEnd();
  const comma = open === "{" ? "" : ",";
  const start = `${open}${comma}${JSON.stringify(prefix)}:`;
  return {
    text,
    encode: (outcome) => `${start}${JSON.stringify(fieldsOf(outcome))}}\n`,
    wrote: (record) => record.startsWith(start),
  };
}

function objectOf(line: string, place: string): Readonly<Record<string, unknown>> {
  const value = parsed(line);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new CommandError(`${place}: this is no JSON object`, 1);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
