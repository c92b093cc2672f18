import type { InferContext, ModelVersion } from "../../server/backend/backend.js";
import { readModel } from "../../server/backend/repository/model-repository.js";
import type { Tier } from "../../server/core/tiers.js";

/** What the repository serves for the tier. */
export async function modelVersion(
  tier: Tier,
  repository = "triton-model-repo",
): Promise<ModelVersion> {
  const { name, served, tokenizerDigest, maxTokens, parameters } = await readModel(
    repository,
    tier,
  );
  return {
    ...served,
    name,
    tokenizerDigest,
    maxTokens,
    parameters,
    padId: tier === "accurate" ? 1 : 0,
  };
}

/** Callers that wait for ever. */
export const ANYTIME: InferContext = {
  signal: new AbortController().signal,
  deadlineMs: Number.POSITIVE_INFINITY,
  traceparent: undefined,
};
