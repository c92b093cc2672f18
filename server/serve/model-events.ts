import type { ServedModel } from "../classify/model.js";
import type { UnloadCause } from "./memory-manager.js";
import type { VersionEvents } from "./served-version.js";
import type { ShadowOutcome } from "./shadow.js";

/** What happens to models; for metrics and log. */
export interface ModelEvents {
  loaded(model: ServedModel, tookMs: number): void;
  unloaded(model: ServedModel, cause: UnloadCause): void;
  /** A call that went to a version while a candidate takes a share of them. */
  routed(model: ServedModel): void;
  compared(candidate: ServedModel, outcome: ShadowOutcome, distance?: number): void;
  /** The candidate says something else than the served version too often. */
  disagrees(candidate: ServedModel, compared: number, flips: number): void;
  /** Told of all versions of the model of that name. */
  of(model: string): VersionEvents;
}
