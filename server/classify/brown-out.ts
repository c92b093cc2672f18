import type { Tier } from "../core/tiers.js";
import type { Models } from "./models.js";

/**
 * The tier that answers for `tier`: while a text would wait longer than `mostMs` for balanced, or for accurate in the cascade, it is fast, where
 * that is served and less is waited for it. `mostMs` undefined: always `tier` itself. Who asks for accurate gets accurate.
 */
export function underPressure(
  tier: Tier | "auto",
  models: Models,
  mostMs: number | undefined,
): Tier | "auto" {
  if (mostMs === undefined || tier === "fast" || tier === "accurate") return tier;
  const waitMs = (which: Tier): number | undefined =>
    models
      .list()
      .find((model) => model.tier === which)
      ?.waitMs();
  const [wanted = 0, fast = Number.POSITIVE_INFINITY] = [
    waitMs(tier === "auto" ? "accurate" : tier),
    waitMs("fast"),
  ];
  return wanted > mostMs && fast < wanted ? "fast" : tier;
}
