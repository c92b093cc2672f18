import type { Schema } from "./values/chart-values.js";

/** The standards of a schema as a values.yaml, each below what it is for. */
export const valuesYaml = (schema: Schema): string =>
  `# Made by \`make docs\` from deploy/helm/values: README.md has the same as a table, values.schema.json what each may be.\n${mappingOf(
    schema,
    "",
  )}`;

function mappingOf({ properties = {} }: Schema, indent: string): string {
  return Object.entries(properties)
    .filter(([, part]) => isShown(part))
    .map(([name, part]) => `${commentOf(part, indent)}${indent}${name}:${textOf(part, indent)}\n`)
    .join(indent === "" ? "\n" : "");
}

const isShown = (part: Schema): boolean => isGroup(part) || part.default !== undefined;

/** It has values of its own, and no standard as a whole. */
export const isGroup = (part: Schema): boolean =>
  part.properties !== undefined && part.default === undefined;

const commentOf = ({ description }: Schema, indent: string): string =>
  description === undefined ? "" : `${indent}# ${description}\n`;

function textOf(part: Schema, indent: string): string {
  if (!isGroup(part)) return yamlOf(part.default, indent);
  const inner = mappingOf(part, `${indent}  `);
  return inner === "" ? " {}" : `\n${inner.replace(/\n$/, "")}`;
}

/** After a name and its colon. */
function yamlOf(value: unknown, indent: string): string {
  if (Array.isArray(value))
    return value.length === 0
      ? " []"
      : value.map((item) => `\n${indent}  -${itemOf(item, indent)}`).join("");
  if (typeof value !== "object" || value === null) return ` ${JSON.stringify(value)}`;
  const entries = Object.entries(value);
  if (entries.length === 0) return " {}";
  return entries
    .map(([name, inner]) => `\n${indent}  ${name}:${yamlOf(inner, `${indent}  `)}`)
    .join("");
}

/** Behind a dash: the first name of a mapping stands beside it. */
const itemOf = (item: unknown, indent: string): string =>
  yamlOf(item, `${indent}  `).replace(/^\n +/, " ");
