import type { BatchLimits } from "../../../server/batch/plan.js";

/** Any lengths go together. */
export const ANY_LENGTHS: BatchLimits = {
  rows: 32,
  minRows: 8,
  maxRows: 128,
  maxWork: 4096,
  maxPaddingRatio: 1,
  paddingCost: 1,
};
