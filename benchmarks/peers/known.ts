import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { startServer } from "../server.js";
import { nameOf } from "./label.js";
import type { Known } from "./measure.js";

/**
 * Answers of this server's that are less sure than this leave open what a peer may say: an int8 model that scales by what is in the batch
 * answers a hair differently with other neighbours and other padding.
 */
const LEAD = 0.02;
const AT_ONCE = 100;

/** The texts with the labels that this server gives them. */
export async function knownAnswers(texts: readonly string[]): Promise<Known> {
  await using server = await startServer({ BACKEND: "embedded" });
  const known = new Map<string, string | undefined>();
  for (let first = 0; first < texts.length; first += AT_ONCE) {
    const some = texts.slice(first, first + AT_ONCE);
    const tier = Tier.TIER_BALANCED;
    const { results } = await server.client.analyzeBatch({ texts: some, tier, options: undefined });
    for (const [place, { sentiment }] of results.entries()) {
      if (!sentiment) throw new Error("a text was not answered");
      known.set(some[place] ?? "", isSure(sentiment) ? nameOf(sentiment.label) : undefined);
    }
  }
  return known;
}

interface Probabilities {
  readonly negative: number;
  readonly neutral: number;
  readonly positive: number;
}

function isSure({ probabilities }: { readonly probabilities?: Probabilities | undefined }) {
  const { negative = 0, neutral = 0, positive = 0 } = probabilities ?? {};
  const [most = 0, next = 0] = [negative, neutral, positive].sort((one, other) => other - one);
  return most - next >= LEAD;
}
