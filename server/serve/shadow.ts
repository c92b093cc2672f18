import { classify, type Verdict } from "../classify/classifier.js";
import type { Question } from "../classify/reading.js";
import { type Call, LimitedCall, unasked } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import type { ServedVersion } from "./served-version.js";

/** What the candidate made of a text that the served version has answered: same label, another one, no answer; or it was too busy to ask. */
export type ShadowOutcome = "agree" | "flip" | "failed" | "skipped";

/** Told of each text that was compared; `distance` is that of the scores, 0 to 2, where there are two. */
export type ReportShadow = (outcome: ShadowOutcome, distance?: number) => void;

/** Copies that may be under way at once: the candidate must not take the machine from those who wait for answers. */
const MOST_UNDER_WAY = 2;
const LIMIT_MS = 10_000;
/** Texts after which the disagreement is worth a warning, and the share of flips that is. */
const FEWEST = 50;
const WARNING_SHARE = 0.1;

/** Asks a candidate version what it would have said, and counts where it disagrees. Nobody waits for it. */
export class Shadow {
  readonly share: number;
  #underWay = 0;
  #compared = 0;
  #flips = 0;
  #warned = false;
  readonly #candidate: ServedVersion;
  readonly #clock: Clock;
  readonly #report: ReportShadow;
  readonly #warn: (compared: number, flips: number) => void;

  constructor(
    candidate: ServedVersion,
    share: number,
    clock: Clock,
    report: ReportShadow,
    warn: (compared: number, flips: number) => void,
  ) {
    this.#candidate = candidate;
    this.share = share;
    this.#clock = clock;
    this.#report = report;
    this.#warn = warn;
  }

  /** Starts the comparison of a call's answers and returns at once. */
  compare(
    texts: readonly string[],
    question: Question,
    outcomes: readonly PromiseSettledResult<Verdict>[],
    { origin }: Call,
  ): void {
    if (this.#underWay >= MOST_UNDER_WAY) {
      for (const _ of texts) this.#report("skipped");
      return;
    }
    this.#underWay++;
    // Whoever sent the texts may give up long before the candidate has to. It may answer calls, too: who sends many has no more of it for the copies.
    void this.#ask(texts, question, origin.holder)
      .then((others) => {
        for (const [place, outcome] of outcomes.entries()) this.#note(outcome, others[place]);
      })
      .finally(() => {
        this.#underWay--;
      });
  }

  async #ask(
    texts: readonly string[],
    question: Question,
    holder: string | undefined,
  ): Promise<readonly (PromiseSettledResult<Verdict> | undefined)[]> {
    using _lease = this.#candidate.lease();
    const plain = { ...question, sentences: false, explain: false };
    const late = () => new Error("the candidate took too long");
    const never = new AbortController().signal;
    const clock = this.#clock;
    using copy = new LimitedCall(unasked(never, holder), LIMIT_MS, clock, late);
    // Awaited here: the lease would be given back at once.
    return await classify(this.#candidate.model, texts, plain, copy, clock).catch(() => []);
  }

  #note(
    served: PromiseSettledResult<Verdict>,
    other: PromiseSettledResult<Verdict> | undefined,
  ): void {
    if (served.status === "rejected") return;
    if (other?.status !== "fulfilled") {
      this.#report("failed");
      return;
    }
    const flip = served.value.label !== other.value.label;
    this.#report(flip ? "flip" : "agree", Math.abs(served.value.score - other.value.score));
    this.#compared++;
    if (flip) this.#flips++;
    if (this.#warned || this.#compared < FEWEST) return;
    if (this.#flips < WARNING_SHARE * this.#compared) return;
    this.#warned = true;
    this.#warn(this.#compared, this.#flips);
  }
}
