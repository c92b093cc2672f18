import type { OnHit } from "../classify/answering.js";
import type { Verdict } from "../classify/classifier.js";
import type { Tier } from "../core/tiers.js";
import { currentSpan } from "../core/trace.js";
import type { AnalyzeStreamRequest, Tier as TierMessage } from "../gen/sentiment/v1/sentiment.js";

type Outcome = PromiseSettledResult<Verdict>;

/** One outcome a text, in their order; `onHit` is told of those that need not wait for the others. */
type Ask = (
  texts: readonly string[],
  tier: TierMessage,
  onHit: OnHit,
) => Promise<readonly PromiseSettledResult<Verdict>[]>;

/** Whether the quota of the stream has enough for the texts now. */
type MayAsk = (texts: readonly string[], tier: Tier | "auto") => boolean;

interface Waiting {
  readonly text: string;
  readonly tier: TierMessage;
  readonly settle: (outcome: Outcome) => void;
}

/** Half of what a text costs the event loop is the same for eight of them. Each waits for the last of them; sixteen were not clearly faster (docs/decisions.md 72). */
const MOST_TEXTS = 8;
/** Where that half is worth something: the others' models take milliseconds for a text, and what fast may answer or accurate is not known before. */
const QUICK: ReadonlySet<Tier | "auto"> = new Set(["fast", "balanced"]);
/** Characters: a longer one would hold the others up. */
const MOST_LENGTH = 300;

/** Short texts of one stream that come in the same turn of the event loop are asked about together. One that comes alone waits for nothing. */
export class GatheredTexts {
  #waiting: Waiting[] = [];
  readonly #ask: Ask;
  readonly #mayAsk: MayAsk;

  constructor(ask: Ask, mayAsk: MayAsk) {
    this.#ask = ask;
    this.#mayAsk = mayAsk;
  }

  /** Whether it is for others to wait for: not what takes long, has a trace of its own, or must wait for its quota. `tier`: that it asks for, by name. */
  takes({ text, options }: AnalyzeStreamRequest, tier: Tier | "auto"): boolean {
    const isShort = text.length <= MOST_LENGTH && options === undefined && QUICK.has(tier);
    if (!isShort || currentSpan() !== undefined) return false;
    return this.#mayAsk([...this.#waiting.map((one) => one.text), text], tier);
  }

  /** Rejects as `ask` does for the text. */
  async ask(text: string, tier: TierMessage): Promise<Verdict> {
    const [first] = this.#waiting;
    if (first?.tier !== tier) this.#askAll();
    const { promise, resolve: settle } = Promise.withResolvers<Outcome>();
    const size = this.#waiting.push({ text, tier, settle });
    if (size === 1) setImmediate(() => this.#askAll());
    if (size === MOST_TEXTS) this.#askAll();
    const outcome = await promise;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }

  #askAll(): void {
    const all = this.#waiting;
    const [first] = all;
    if (first === undefined) return;
    this.#waiting = [];
    const texts = all.map(({ text }) => text);
    const onHit: OnHit = (place, value) => all[place]?.settle({ status: "fulfilled", value });
    const lost = () => ({ status: "rejected" as const, reason: new Error("no outcome") });
    this.#ask(texts, first.tier, onHit).then(
      (outcomes) => {
        for (const [place, { settle }] of all.entries()) settle(outcomes[place] ?? lost());
      },
      (reason: unknown) => {
        for (const { settle } of all) settle({ status: "rejected", reason });
      },
    );
  }
}
