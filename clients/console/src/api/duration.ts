/** Milliseconds of a duration in proto3 JSON, as "0.002s". */
export const msOf = (duration: string): number => Number.parseFloat(duration) * 1000;
