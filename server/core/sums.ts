/** What was seen counts half as much after 34 later ones. */
const MEMORY = 0.98;
/** What took so many times as long as usual was held up: by a server that was frozen, or a machine that slept. */
export const HELD_UP = 5;

/** Adds what was seen to sums in which older ones weigh less. */
export function addTo<Name extends string>(
  sums: Record<Name, number>,
  seen: Readonly<Record<Name, number>>,
): void {
  for (const name of Object.keys(seen) as Name[]) sums[name] = sums[name] * MEMORY + seen[name];
}
