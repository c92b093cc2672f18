import type { Schema } from "./values/chart-values.js";
import { isGroup } from "./values-yaml.js";

/** All values as rows of a markdown table, but the settings, which have a table of their own. */
export function valuesTable(schema: Schema): string {
  const rows = rowsOf(schema, "").filter(([name]) => !name.startsWith("gateway.settings."));
  const lines = rows.map(
    ([name, part]) => `| ${name} | ${standardOf(part)} | ${meaningOf(part)} |\n`,
  );
  return `| value | default | meaning |\n|---|---|---|\n${lines.join("")}`;
}

/** What each setting may be. */
export function settingsTable({ properties = {} }: Schema): string {
  const lines = Object.entries(properties).map(([name, part]) => `| ${name} | ${kindOf(part)} |\n`);
  return `| setting | is |\n|---|---|\n${lines.join("")}`;
}

function rowsOf(schema: Schema, path: string): (readonly [string, Schema])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const full = `${path}${name}`;
    return isGroup(part)
      ? [[full, part] as const, ...rowsOf(part, `${full}.`)]
      : [[full, part] as const];
  });
}

const standardOf = (part: Schema): string =>
  isGroup(part) ? "" : part.default === undefined ? "unset" : `\`${JSON.stringify(part.default)}\``;

function meaningOf(part: Schema): string {
  const options =
    part.enum === undefined ? "" : ` (${part.enum.map((one) => `\`${one}\``).join(", ")})`;
  const text = `${part.description ?? ""}${options}`.replaceAll("|", "\\|");
  return isGroup(part) ? `**${text}**` : text;
}

function kindOf(part: Schema): string {
  if (part.enum !== undefined) return part.enum.map((one) => `\`${one}\``).join(", ");
  const { minimum, maximum, pattern } = part;
  if (maximum !== undefined) return `${part.type}, ${minimum} to ${maximum}`;
  return pattern === undefined
    ? String(part.type)
    : `${part.type}, \`${String(pattern).replaceAll("|", "\\|")}\``;
}
