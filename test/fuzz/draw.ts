import { type Draw, seeded } from "../unit/seeded.js";

export type { Draw };

/** The random numbers of one case of a campaign: the same whatever runs beside it, so that it can be repeated alone. */
export const drawOf = (seed: number, place: number): Draw =>
  seeded(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b));

export const oneOf = <Item>(draw: Draw, items: readonly Item[]): Item =>
  items[draw(0, items.length - 1)] as Item;

/** Whether something happens that does so in so many of a thousand cases. */
export const happens = (draw: Draw, perMille: number): boolean => draw(1, 1000) <= perMille;

export const bytesOf = (draw: Draw, length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, () => draw(0, 255)));

interface Weighted {
  /** How often it is drawn, against the others' weights; whole. */
  readonly weight: number;
}

export function weighted<Item extends Weighted>(draw: Draw, items: readonly Item[]): Item {
  let left = draw(
    1,
    items.reduce((sum, { weight }) => sum + weight, 0),
  );
  for (const item of items) {
    left -= item.weight;
    if (left <= 0) return item;
  }
  throw new Error("nothing to draw from");
}
