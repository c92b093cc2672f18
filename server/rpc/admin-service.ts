import type { CacheTier } from "../cache/cache.js";
import type { ServedModel } from "../classify/model.js";
import { ServiceError, StartupError } from "../core/errors.js";
import { resultOf } from "../core/settled.js";
import type { Tier } from "../core/tiers.js";
import {
  type AdminServiceImplementation,
  CacheTier as CacheTierMessage,
  type Tier as TierMessage,
} from "../gen/sentiment/v1/sentiment.js";
import { acrossProcesses, type LocalAdmin } from "./across-processes.js";
import type { Analyze, ServiceParts } from "./analyzer.js";
import { captureProfile } from "./capture-profile.js";
import { statusMessage } from "./get-status.js";
import { modelMessage } from "./replies.js";
import { tierOf } from "./validate.js";
import { cacheWarmer } from "./warmer.js";

export function adminService(parts: ServiceParts, analyze: Analyze): AdminServiceImplementation {
  const { models, caches, defaultTier, peers, version, status, profiler } = parts;
  const warm = cacheWarmer(parts, analyze);
  const spacesOf = (name: string): readonly (string | undefined)[] => {
    const spaces = name === "" ? [undefined] : models.spacesOf(name);
    if (spaces.length > 0) return spaces;
    const names = models.list().map((one) => one.name);
    throw new ServiceError("MODEL_UNKNOWN", `model: name one of ${names.join(", ")}.`, {
      field: "model",
    });
  };
  const withModel = async (
    message: TierMessage,
    act: (tier: Tier) => Promise<ServedModel | undefined>,
  ) => {
    const tier = tierOf(message);
    const model =
      tier === undefined || tier === "auto" ? undefined : await act(tier).catch(unusable);
    if (model !== undefined) return { model: modelMessage(model, defaultTier) };
    const served = models.list().map((one) => one.tier);
    throw new ServiceError("TIER_UNKNOWN", `tier: name one of ${served.join(", ")}.`, {
      field: "tier",
    });
  };
  const local: LocalAdmin = {
    warmCache: ({ texts, tier }, signal) => warm(texts, tier, signal),
    async clearCache({ cache, model }) {
      const tier = cacheTierOf(cache);
      // All of them, whatever becomes of one.
      const outcomes = await Promise.allSettled(
        spacesOf(model).map(async (space) => (await caches?.clear(tier, space)) ?? 0),
      );
      return { cleared: outcomes.map(resultOf).reduce((sum, one) => sum + one, 0) };
    },
    loadModel: ({ tier }) => withModel(tier, (one) => models.load(one)),
    unloadModel: ({ tier }) => withModel(tier, (one) => models.unload(one)),
    getStatus: async () =>
      statusMessage(
        version,
        status(),
        models.list().map((model) => modelMessage(model, defaultTier)),
      ),
  };
  peers?.answerBy(local);
  const calls = peers === undefined ? local : acrossProcesses(local, peers);
  return {
    warmCache: (request, { signal }) => calls.warmCache(request, signal),
    clearCache: (request, { signal }) => calls.clearCache(request, signal),
    loadModel: (request, { signal }) => calls.loadModel(request, signal),
    unloadModel: (request, { signal }) => calls.unloadModel(request, signal),
    captureProfile: captureProfile(profiler),
    getStatus: (request, { signal }) => calls.getStatus(request, signal),
  };
}

/** An admin may read what is wrong: with the folder, or with the servers that ought to have loaded it. */
function unusable(error: unknown): never {
  if (error instanceof StartupError)
    throw new ServiceError("MODEL_UNUSABLE", error.message, { cause: error });
  if (!(error instanceof ServiceError && error.hints.cause instanceof Error)) throw error;
  throw new ServiceError(
    error.reason,
    `${error.message} ${error.hints.cause.message}`,
    error.hints,
  );
}

/** undefined: all. */
function cacheTierOf(tier: CacheTierMessage): CacheTier | undefined {
  switch (tier) {
    case CacheTierMessage.CACHE_TIER_UNSPECIFIED:
      return undefined;
    case CacheTierMessage.CACHE_TIER_MEMORY:
      return "memory";
    case CacheTierMessage.CACHE_TIER_REDIS:
      return "redis";
    default:
      throw new ServiceError("OPTION_UNKNOWN", "cache: name MEMORY, REDIS, or none for all.", {
        field: "cache",
      });
  }
}
