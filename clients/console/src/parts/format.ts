import type { CacheTier, Label, Tier } from "../api/messages.ts";

/** Words for what the API names in capitals. */
export const LABEL_NAMES: Record<Label, "negative" | "neutral" | "positive"> = {
  LABEL_NEGATIVE: "negative",
  LABEL_NEUTRAL: "neutral",
  LABEL_POSITIVE: "positive",
};

export const TIER_NAMES: Record<Tier, string> = {
  TIER_UNSPECIFIED: "default",
  TIER_FAST: "fast",
  TIER_BALANCED: "balanced",
  TIER_ACCURATE: "accurate",
  TIER_AUTO: "auto",
};

export const CACHE_NAMES: Record<CacheTier, string> = {
  CACHE_TIER_NONE: "none: the model was run",
  CACHE_TIER_MEMORY: "memory",
  CACHE_TIER_REDIS: "Redis",
};

const whole = new Intl.NumberFormat("en");
const signed = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: "exceptZero",
});
const fixed = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (value: number): string => whole.format(value);
/** -1 to 1, with its sign. */
export const score = (value: number): string => signed.format(value).replace("-", "\u2212");
/** Of 0 to 1. */
export const percent = (share: number): string => `${fixed.format(share * 100)} %`;

/** Three digits that count, as "0.42 ms", "12 ms", "1.5 s". */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms >= 10_000 ? 0 : 1)} s`;
  if (ms >= 10) return `${ms.toFixed(0)} ms`;
  return `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}

/** As "1 h 5 min", "3 min", "40 s". */
export function longDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${tenths.format(size / 1e3)} kB`;
  return `${tenths.format(size / 1e6)} MB`;
}

export const rate = (perSecond: number): string =>
  perSecond >= 10 ? whole.format(Math.round(perSecond)) : tenths.format(perSecond);
