/** Values over time; each of `values` as long as `minutes`. */
export interface Series {
  readonly minutes: readonly number[];
  /** By what they are and their unit, as in "resident memory, MB". */
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Straight lines to draw into them: where they begin and end. */
  readonly lines: Readonly<Record<string, readonly [from: Spot, to: Spot]>>;
}

type Spot = readonly [minute: number, value: number];

const WIDTH = 900;
const HEIGHT = 110;
const LEFT = 70;
const TITLE = 30;
const GAP = 26;

export const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const short = (value: number) => Number(value.toPrecision(4)).toString();

/** Each in a frame of its own, one below the other, as SVG. */
export function timeChart(head: string, { minutes, values, lines }: Series): string {
  const names = Object.keys(values);
  const height = TITLE + names.length * (HEIGHT + GAP) + 20;
  const last = minutes.at(-1) || 1;
  const frames = names.map((name, place) =>
    frame(name, minutes, values[name] ?? [], lines[name], last, TITLE + place * (HEIGHT + GAP)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 20}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(head)}</title>`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="8" y="18" font-weight="bold">${escaped(head)}</text>`,
    ...frames,
    `<text x="${LEFT + WIDTH}" y="${height - 6}" text-anchor="end">${short(last)} minutes</text>`,
    "</svg>\n",
  ].join("\n");
}

function frame(
  name: string,
  minutes: readonly number[],
  values: readonly number[],
  line: readonly [Spot, Spot] | undefined,
  last: number,
  top: number,
): string {
  const shown = [...values, ...(line ?? []).map(([, value]) => value)];
  const least = Math.min(...shown);
  const most = Math.max(...shown);
  const x = (minute: number) => (LEFT + (WIDTH * minute) / last).toFixed(1);
  const y = (value: number) =>
    (top + GAP + HEIGHT - (HEIGHT * (value - least)) / (most - least || 1)).toFixed(1);
  const points = values.map((value, place) => `${x(minutes[place] ?? 0)},${y(value)}`);
  const drawn = line?.map(([minute, value]) => `${x(minute)},${y(value)}`);
  return [
    `<text x="${LEFT}" y="${top + GAP - 6}">${escaped(name)}</text>`,
    `<rect x="${LEFT}" y="${top + GAP}" width="${WIDTH}" height="${HEIGHT}" fill="none" stroke="#ccc"/>`,
    `<text x="${LEFT - 6}" y="${top + GAP + 10}" text-anchor="end">${short(most)}</text>`,
    `<text x="${LEFT - 6}" y="${top + GAP + HEIGHT}" text-anchor="end">${short(least)}</text>`,
    `<polyline points="${points.join(" ")}" fill="none" stroke="#4878a8"/>`,
    ...(drawn ? [`<polyline points="${drawn.join(" ")}" fill="none" stroke="#c33"/>`] : []),
  ].join("\n");
}
