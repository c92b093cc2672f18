/**
 * Draws the last line of each benchmarks/results/*.jsonl as bars with their spread, or over time: benchmarks/results/<benchmark>.svg.
 *
 *   make bench-chart
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headOf, type Line } from "./results.js";
import { escaped, type Series, timeChart } from "./soak/time-chart.js";

const FOLDER = "benchmarks/results";
const ROW = 22;
const LABEL = 470;
const BAR = 420;
const VALUE = 190;

type Measured = Line["measured"][number];

/** One bar; `most` is the largest value of its unit. */
function bar(
  { what, unit, median, least, most: highest }: Measured,
  most: number,
  y: number,
): string {
  const width = (value: number) => Math.max(0, (BAR * value) / most).toFixed(1);
  const value = `${median} (${least} to ${highest}) ${unit}`;
  return [
    `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escaped(what)}</text>`,
    `<rect x="${LABEL}" y="${y + 4}" width="${width(median)}" height="${ROW - 8}" fill="#4878a8"/>`,
    `<rect x="${LABEL + Number(width(least))}" y="${y + ROW / 2 - 1}" width="${width(highest - least)}" height="2" fill="#222"/>`,
    `<text x="${LABEL + Number(width(Math.max(median, highest))) + 6}" y="${y + 15}">${escaped(value)}</text>`,
  ].join("\n");
}

function chart(name: string, line: Line & { readonly series?: Series }): string {
  const { measured, series } = line;
  if (series !== undefined) return timeChart(headOf(name, line), series);
  const shown = measured.filter(({ median }) => Number.isFinite(median));
  const most = new Map<string, number>();
  for (const { unit, most: value } of shown) most.set(unit, Math.max(most.get(unit) ?? 0, value));
  const height = ROW * (shown.length + 2);
  const head = `${headOf(name, line)}; median, with least to most`;
  const bars = shown.map((one, place) => bar(one, most.get(one.unit) || 1, ROW * (place + 1.5)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LABEL + BAR + VALUE}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(head)}</title>`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="8" y="18" font-weight="bold">${escaped(head)}</text>`,
    ...bars,
    "</svg>\n",
  ].join("\n");
}

for (const file of (await readdir(FOLDER)).filter((name) => name.endsWith(".jsonl"))) {
  const lines = (await readFile(join(FOLDER, file), "utf8")).trim().split("\n");
  const name = file.replace(/\.jsonl$/, "");
  await writeFile(join(FOLDER, `${name}.svg`), chart(name, JSON.parse(lines.at(-1) ?? "")));
  process.stdout.write(`${FOLDER}/${name}.svg\n`);
}
