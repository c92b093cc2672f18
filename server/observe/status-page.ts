import { createHash } from "node:crypto";
import { mebibytes } from "../core/units.js";
import type { ProcessEntry, ProcessStatus, ServerStatus } from "./status.js";

const STYLE =
  "body{font:15px/1.4 system-ui,sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse;margin:.5em 0 1.5em}th,td{border:1px solid #999;padding:.2em .6em;text-align:left;overflow-wrap:anywhere}";

/** Nothing is run, and nothing loaded from anywhere, whatever stands in a value. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Markup that is whole: not escaped once more. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | readonly Markup[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string) => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);

function textOf(value: Value): string {
  if (value instanceof Markup) return value.text;
  return typeof value === "object" ? value.map(textOf).join("") : escaped(String(value));
}

/** A template whose values are escaped. */
const html = (parts: TemplateStringsArray, ...values: readonly Value[]) =>
  new Markup(String.raw({ raw: parts }, ...values.map(textOf)));

const row = (cells: readonly Value[]) =>
  html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`;
const table = (head: readonly string[], rows: readonly (readonly Value[])[]) =>
  html`<table><tr>${head.map((name) => html`<th>${name}</th>`)}</tr>\n${rows.map(row)}</table>\n`;

const yesNo = (value: boolean) => (value ? "yes" : "no");
const upDown = (up: boolean) => (up ? "up" : "down");

/** For people; the same as JSON is the `ServerStatus` itself. */
export function statusPage({ version, started, settings, processes }: ServerStatus): string {
  const rows = Object.entries(settings).map(([name, value]) => [name, value ?? "unset"]);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sentiment Analyzer Pro</title><style>${new Markup(STYLE)}</style></head><body>
<h1>Sentiment Analyzer Pro ${version}</h1>
<p>Started ${started}.</p>
${processes.map((entry) => processSection(entry, processes.length > 1))}<h2>Settings</h2>
${table(["name", "value"], rows)}</body></html>
`;
  return page.text;
}

function processSection(entry: ProcessEntry, isOneOfSeveral: boolean): Markup {
  const head = isOneOfSeveral ? html`<h2>Process ${entry.process}</h2>\n` : html``;
  if ("fault" in entry) return html`${head}<p>${entry.fault}</p>\n`;
  return html`${head}${table(["", ""], factsOf(entry))}${modelTable(entry)}${backendTable(entry)}`;
}

function factsOf({ started, reasons, queued, cache, memory }: ProcessStatus) {
  const limit = memory.limitBytes === null ? "no limit" : `of ${mebibytes(memory.limitBytes)}`;
  return [
    ["started", started],
    ["calls should come", reasons.length === 0 ? "yes" : `no: ${reasons.join(", ")}`],
    ["rows that wait", `${queued.rows}, of ${queued.tokens} tokens`],
    ["memory", `${mebibytes(memory.bytes)}, ${limit}`],
    [
      "answers in memory",
      cache === null ? "none are kept" : `${cache.texts} by text, ${cache.readings} by tokens`,
    ],
    ["Redis", cache?.redis ? `${cache.redis.url}: ${cache.redis.state}` : "not used"],
  ];
}

const modelTable = ({ models }: ProcessStatus) =>
  table(
    ["model", "tier", "version", "digest", "loaded"],
    models.map(({ model, tier, version, digest, loaded }) => [
      model,
      tier,
      version,
      digest,
      yesNo(loaded),
    ]),
  );

const backendTable = ({ backends }: ProcessStatus) =>
  table(
    ["backend", "state", "breaker", "batches under way"],
    backends.flatMap(({ backend, up, servers = [] }) => [
      [backend, upDown(up), "", ""],
      ...servers.map((server) => [
        `${backend} ${server.url}`,
        upDown(server.up),
        server.breaker,
        server.underWay,
      ]),
    ]),
  );
