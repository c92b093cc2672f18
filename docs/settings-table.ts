/**
 * The README's table of settings, from the schema.
 *
 *   make docs
 */
import { readFile, writeFile } from "node:fs/promises";
import { Settings } from "../server/settings.js";

const BEGIN = "<!-- settings: made by make docs -->\n";
const END = "<!-- end of settings -->";

/** The text with the table between its two marks made anew. */
export function withSettingsTable(text: string): string {
  const [before, rest] = text.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined)
    throw new Error("the marks of the table are missing");
  return `${before}${BEGIN}${settingsTable()}${END}${after}`;
}

function settingsTable(): string {
  const rows = Object.entries(Settings.shape).map(([name, schema]) => {
    const standard: unknown = schema.parse(undefined);
    const shown = standard === undefined ? "unset" : textOf(standard);
    return `| ${name} | ${shown} | ${schema.description ?? ""} |\n`;
  });
  return `| name | default | meaning |\n|---|---|---|\n${rows.join("")}`;
}

/** Sizes as people write them. */
const textOf = (value: unknown): string =>
  typeof value === "number" && value > 0 && value % 2 ** 30 === 0
    ? `${value / 2 ** 30}g`
    : String(value);

const [, script, path] = process.argv;
if (script?.endsWith("settings-table.js") && path !== undefined)
  await writeFile(path, withSettingsTable(await readFile(path, "utf8")));
