import type { Verdict } from "../classify/classifier.js";
import type { ServedModel } from "../classify/model.js";
import type { Lease } from "../classify/models.js";
import type { Question } from "../classify/reading.js";
import type { Call } from "../core/call.js";
import type { ServedVersion } from "./served-version.js";
import type { Shadow } from "./shadow.js";

/** A candidate that a call's texts are copied to. */
interface Copy {
  readonly candidate: ServedVersion;
  readonly shadow: Shadow;
}

/** A call's hold on the version that answers it. */
export class VersionLease implements Lease {
  readonly model: ServedModel;
  readonly #shadow: Shadow | undefined;
  readonly #held: Disposable;
  readonly #heldCopy: Disposable | undefined;

  constructor(version: ServedVersion, copy: Copy | undefined) {
    this.model = version.model;
    this.#shadow = copy?.shadow;
    this.#held = version.lease();
    // Else the copy could load again what was replaced meanwhile, and nobody would unload it.
    this.#heldCopy = copy?.candidate.lease();
  }

  compare(
    texts: readonly string[],
    question: Question,
    outcomes: readonly PromiseSettledResult<Verdict>[],
    call: Call,
  ): void {
    this.#shadow?.compare(texts, question, outcomes, call);
  }

  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]();
    this.#heldCopy?.[Symbol.dispose]();
  }
}
