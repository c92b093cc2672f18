/** 32 bits, as a signed number, that say little of the text, or its part from `begin` to `end`: equal ones have equal bits (FNV-1a, mixed). */
export function hashBitsOf(text: string, begin = 0, end = text.length): number {
  let hash = 0x811c9dc5;
  for (let place = begin; place < end; place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  }
  // The last characters reach all bits only by this (the finalizer of MurmurHash3).
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Where a text falls between 0 and 1 (1 left out): equal texts at the same place, different ones evenly. */
export const shareOf = (text: string): number => (hashBitsOf(text) >>> 0) / 2 ** 32;
