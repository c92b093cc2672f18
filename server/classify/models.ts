import type { Call } from "../core/call.js";
import type { Tier } from "../core/tiers.js";
import type { Verdict } from "./classifier.js";
import type { ServedModel } from "./model.js";
import type { Question } from "./reading.js";

/** A model for the time of one call: until it is given back, it is neither unloaded nor replaced. */
export interface Lease extends Disposable {
  readonly model: ServedModel;
  /** Where a candidate version is tried out on copies: hands it the call's texts and what was answered. Returns at once. */
  compare(
    texts: readonly string[],
    question: Question,
    outcomes: readonly PromiseSettledResult<Verdict>[],
    call: Call,
  ): void;
}

/** The models that are served, tier by tier. Which version a tier has may change while calls are under way. */
export interface Models {
  /** Those that answer, fast first; candidates left out. */
  list(): readonly ServedModel[];
  /** Of the answers of all versions that calls may be answered by, the candidate's too; none for a model that is not served. */
  spacesOf(name: string): readonly string[];
  /** Undefined for a tier without a model. Equal texts get equal versions while a candidate answers some of the calls. */
  lease(tier: Tier, text: string): Lease | undefined;
  /** Loads what the tier's folder holds now, and then lets it take over. Calls under way are finished by the version they began with. */
  load(tier: Tier): Promise<ServedModel | undefined>;
  /** Gives the tier's memory back when the calls under way are over, unless others have come meanwhile. The next call for it loads it again. */
  unload(tier: Tier): Promise<ServedModel | undefined>;
}
