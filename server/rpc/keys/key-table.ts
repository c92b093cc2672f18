import type { KeyEntry } from "./key-file.js";

const HEADS = ["NAME", "ID", "RIGHTS", "TOKENS/MINUTE", "EXPIRES"];

/** A line each entry, for people: nothing of salts and hashes. The id tells which key it is, where one turns up that should not. */
export function keyTable(entries: readonly KeyEntry[], nowMs: number): string {
  const rows = entries.map(({ id, name, rights, tokensPerMinute, expires }) => [
    name,
    id,
    rights.join(","),
    String(tokensPerMinute ?? "-"),
    endOf(expires, nowMs),
  ]);
  const all = [HEADS, ...rows];
  const widths = HEADS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function endOf(expires: string | undefined, nowMs: number): string {
  if (expires === undefined) return "never";
  return Date.parse(expires) <= nowMs ? `${expires} (expired)` : expires;
}
