/** How long each fault lasts until it is mended, in milliseconds: at least, at most. 0: it mends itself. */
const LASTS = {
  "redis killed": [1000, 6000],
  "redis frozen": [1000, 6000],
  "triton killed": [1000, 8000],
  "triton frozen": [1000, 8000],
  "process killed": [0, 0],
  // Some are thawed before anybody notices.
  "process frozen": [1000, 9000],
  "thread killed": [0, 0],
  "collector killed": [1000, 6000],
  "collector frozen": [1000, 6000],
} as const satisfies Record<string, readonly [number, number]>;

/** A part and what happens to it. */
export type FaultName = keyof typeof LASTS;

export const FAULT_NAMES = Object.keys(LASTS) as readonly FaultName[];

export interface Fault {
  readonly name: FaultName;
  /** Since the load began. */
  readonly atMs: number;
  readonly forMs: number;
}

/** From one fault to the next. */
const NEXT_MS = [2000, 5000] as const;
/** Before a part that was mended is struck again. */
const REST_MS = 8000;
const QUIET_BEFORE_MS = 5000;
const QUIET_AFTER_MS = 12_000;

/** A process and a thread in it are one part: the other process must be there meanwhile. */
export const partOf = (name: FaultName): string =>
  name === "thread killed" ? "process" : (name.split(" ")[0] ?? "");

/**
 * What happens when, in `ms` milliseconds: every few seconds something, by chance, but what has happened least comes first. Several parts may be down at
 * once; one part is struck again only after it was mended. All are mended before the end. With the same numbers the same.
 */
export function scenario(ms: number, chance: () => number): readonly Fault[] {
  const faults: Fault[] = [];
  const freeMs = new Map<string, number>();
  const between = ([least, most]: readonly [number, number]) =>
    Math.round(least + chance() * (most - least));
  const timesOf = (name: FaultName) => faults.filter((fault) => fault.name === name).length;
  for (let atMs = QUIET_BEFORE_MS; ; atMs += between(NEXT_MS)) {
    const free = FAULT_NAMES.filter((name) => (freeMs.get(partOf(name)) ?? 0) <= atMs);
    const least = Math.min(...free.map(timesOf));
    const rare = free.filter((name) => timesOf(name) === least);
    const name = rare[Math.floor(chance() * rare.length)];
    if (name === undefined) continue;
    const forMs = between(LASTS[name]);
    if (atMs + forMs > ms - QUIET_AFTER_MS) return faults;
    faults.push({ name, atMs, forMs });
    freeMs.set(partOf(name), atMs + forMs + REST_MS);
  }
}
