import type { Clock } from "../../server/core/clock.js";
import { Quota, type QuotaEvents, type QuotaOptions } from "../../server/quota/quota.js";
import type { QuotaSync } from "../../server/quota/quota-sync.js";

const NOBODY: QuotaEvents = { charged: () => {}, refused: () => {} };
const ALIKE = { fast: 1, balanced: 1, accurate: 1 };

/** One that is enforced; by default for those alone who bring their own. */
export const quotaOf = (
  clock: Clock,
  options: Partial<QuotaOptions>,
  events: Partial<QuotaEvents> = {},
  sync?: QuotaSync,
): Quota =>
  new Quota(
    { tokensPerMinute: undefined, weights: ALIKE, enforces: true, by: "key", ...options },
    clock,
    { ...NOBODY, ...events },
    sync,
  );
