import { TIERS, type Tier } from "../server/core/tiers.js";
import { Tier as TierMessage } from "../server/gen/sentiment/v1/sentiment.js";

/** As requests name them. */
export const TIER_MESSAGES: Readonly<Record<Tier, TierMessage>> = {
  fast: TierMessage.TIER_FAST,
  balanced: TierMessage.TIER_BALANCED,
  accurate: TierMessage.TIER_ACCURATE,
};

/** Throws for a name that is no tier's. */
export function tierNamed(name: string): Tier {
  const tier = TIERS.find((one) => one === name);
  if (tier === undefined) throw new Error(`tier ${name}: it must be one of ${TIERS.join(", ")}`);
  return tier;
}
