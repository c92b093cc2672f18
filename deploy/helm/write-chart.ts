/**
 * The parts of the Helm chart that are made: values.yaml, values.schema.json, and the tables of its README.
 *
 *   make docs
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chartSchema, type Schema } from "./values/chart-values.js";
import { settingsTable, valuesTable } from "./values-table.js";
import { valuesYaml } from "./values-yaml.js";

const TITLE = "Values of the chart sentiment-analyzer-pro";

/** The files of the chart that are made, by their names; `read` tells what a file holds now. */
export async function chartFiles(
  read: (name: string) => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  const schema = chartSchema();
  return new Map([
    ["values.schema.json", `${JSON.stringify({ ...schema, title: TITLE }, null, 2)}\n`],
    ["values.yaml", valuesYaml(schema)],
    ["README.md", withTables(await read("README.md"), schema)],
  ]);
}

function withTables(text: string, { properties = {} }: Schema): string {
  const { settings = {}, gateway } = properties;
  const bridge = gateway?.properties?.["settings"] ?? {};
  const tables = {
    values: valuesTable({ properties }),
    settings: settingsTable(settings),
    "gateway settings": settingsTable(bridge),
  };
  return Object.entries(tables).reduce((whole, [name, table]) => between(whole, name, table), text);
}

/** The text with what stands between two marks made anew. */
function between(text: string, name: string, table: string): string {
  const begin = `<!-- ${name}: made by make docs -->\n`;
  const end = `<!-- end of ${name} -->`;
  const [before, rest] = text.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`README.md lacks the marks of its table of ${name}`);
  return `${before}${begin}${table}${end}${after}`;
}

const [, script, folder] = process.argv;
if (script?.endsWith("write-chart.js") && folder !== undefined)
  for (const [name, text] of await chartFiles((file) => readFile(join(folder, file), "utf8")))
    await writeFile(join(folder, name), text);
