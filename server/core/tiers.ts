/** The tiers that have a model of their own, fast first. */
export const TIERS = ["fast", "balanced", "accurate"] as const;
export type Tier = (typeof TIERS)[number];

/** The classes, in the order of every model's outputs. */
export const LABELS = ["negative", "neutral", "positive"] as const;
export type Label = (typeof LABELS)[number];

/** Probabilities of LABELS, in their order; they add up to 1. */
export type Probabilities = readonly [negative: number, neutral: number, positive: number];
