import { seeded as shares } from "../../benchmarks/texts.js";

/** Whole numbers from `least` to `most`, both included. */
export type Draw = (least: number, most: number) => number;

/** Random numbers that are the same on every run. */
export function seeded(seed: number): Draw {
  const share = shares(seed);
  return (least, most) => least + Math.floor(share() * (most - least + 1));
}
