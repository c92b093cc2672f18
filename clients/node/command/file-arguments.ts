import { UsageError } from "./faults.js";
import type { Values } from "./values.js";

type FormatName = "csv" | "jsonl" | "text";

export interface FileArguments {
  /** undefined: standard input. */
  readonly input: string | undefined;
  /** undefined: standard output. */
  readonly output: string | undefined;
  readonly format: FormatName;
  /** Where the text is: a column of a CSV, a field of JSON lines. */
  readonly column: string;
  /** Between the columns of a CSV. */
  readonly delimiter: string;
  /** Of the columns, or the name of the field, that are added. */
  readonly prefix: string;
  /** Of text: JSON lines go out. */
  readonly json: boolean;
  readonly resume: boolean;
  readonly force: boolean;
}

const FORMATS: Readonly<Record<string, FormatName>> = {
  csv: "csv",
  tsv: "csv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  txt: "text",
};
/** Arguments that are of some formats only. */
const OF_FORMATS = {
  column: ["csv", "jsonl"],
  prefix: ["csv", "jsonl"],
  delimiter: ["csv"],
  json: ["text"],
} as const satisfies Readonly<Partial<Record<keyof Values, readonly FormatName[]>>>;
const OF_FILES = [
  "input",
  "output",
  "format",
  "column",
  "prefix",
  "delimiter",
  "resume",
  "force",
] as const;

/** Throws UsageError. `hasTexts`: they stand on the command line. */
export function fileArguments(values: Values, hasTexts: boolean): FileArguments {
  if (hasTexts) refuseFiles(values);
  refuseWithoutOutput(values);
  const format = formatOf(values);
  refuseOfOtherFormats(values, format);
  return {
    input: values.input,
    output: values.output,
    format,
    column: values.column ?? "text",
    delimiter: delimiterOf(values),
    prefix: prefixOf(values),
    json: values.json ?? formatByName(values.output) === "jsonl",
    resume: values.resume ?? false,
    force: values.force ?? false,
  };
}

function refuseFiles(values: Values): void {
  const name = OF_FILES.find((one) => values[one] !== undefined);
  if (name) throw new UsageError(`--${name} is for files: leave it out, or the texts`);
}

function refuseWithoutOutput({ output, resume, force }: Values): void {
  if (resume && force) throw new UsageError("--resume goes on, --force begins anew: choose one");
  if (output === undefined && (resume || force))
    throw new UsageError(`--${resume ? "resume" : "force"} needs --output`);
}

function refuseOfOtherFormats(values: Values, format: FormatName): void {
  for (const [name, formats] of Object.entries(OF_FORMATS)) {
    const isOf = (formats as readonly FormatName[]).includes(format);
    if (!isOf && values[name as keyof typeof OF_FORMATS] !== undefined)
      throw new UsageError(`--${name} is not for the format ${format}`);
  }
  const written = formatByName(values.output);
  // Answers to lines of text may go out as JSON lines.
  const fits =
    written === undefined || written === format || (format === "text" && written === "jsonl");
  if (!fits)
    throw new UsageError(
      `--output ${values.output} would be ${format}, as the input is: choose another name, or say the input's --format`,
    );
}

function formatOf({ format, input }: Values): FormatName {
  if (format === undefined) {
    const byName = input === undefined ? "text" : formatByName(input);
    if (byName) return byName;
    throw new UsageError(`--format of ${input} cannot be told by its name: use csv, jsonl or text`);
  }
  if (format === "csv" || format === "jsonl" || format === "text") return format;
  throw new UsageError(`--format ${format} is unknown: use csv, jsonl or text`);
}

const extensionOf = (file: string | undefined): string =>
  /\.([^./]+)$/.exec(file?.toLowerCase().replace(/\.gz$/, "") ?? "")?.[1] ?? "";

const formatByName = (file: string | undefined): FormatName | undefined => {
  const extension = extensionOf(file);
  return Object.hasOwn(FORMATS, extension) ? FORMATS[extension] : undefined;
};

function prefixOf({ prefix = "sentiment" }: Values): string {
  if (prefix !== "") return prefix;
  throw new UsageError("--prefix must not be empty");
}

function delimiterOf({ delimiter, input }: Values): string {
  if (delimiter === undefined) return extensionOf(input) === "tsv" ? "\t" : ",";
  if (delimiter === "\\t") return "\t";
  // A quote or a line's end would make another file of it.
  if (/^[^"\r\n]$/u.test(delimiter)) return delimiter;
  throw new UsageError(`--delimiter ${delimiter} must be one character, and no quote`);
}
