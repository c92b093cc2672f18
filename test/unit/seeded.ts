/** Whole numbers from `least` to `most`, both included. */
export type Draw = (least: number, most: number) => number;

/** Random numbers that are the same on every run (mulberry32). */
export function seeded(seed: number): Draw {
  let state = seed;
  return (least, most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const share = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return least + Math.floor(share * (most - least + 1));
  };
}
