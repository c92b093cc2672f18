/** The samples of a scrape by their names with labels, as they stand there. */
export type Samples = ReadonlyMap<string, number>;

/** Asks `address:port` for /metrics. */
export async function scrape(opsAddress: string): Promise<Samples> {
  const text = await (await fetch(`http://${opsAddress}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Those of one metric that are not 0, by their labels' values. */
export function countsOf(samples: Samples, name: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [key, value] of samples) {
    if (value === 0 || !(key === name || key.startsWith(`${name}{`))) continue;
    counts[[...key.matchAll(/="([^"]*)"/g)].map(([, label]) => label).join(" ")] = value;
  }
  return counts;
}
