import type { SentimentServiceClient, Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { type LoadedCall, quantile, wrongOf } from "../test/support/steady-load.js";
import { inParallel } from "./server.js";

const TEXTS_PER_CALL = 100;
const CALLS_AT_ONCE = 4;

/** Scores by text. */
export type Truth = ReadonlyMap<string, number>;

/** What that server says of the texts; throws where it says nothing. */
export async function truthOf(
  client: SentimentServiceClient,
  tier: Tier,
  texts: readonly string[],
): Promise<Truth> {
  const truth = new Map<string, number>();
  const firsts = Array.from(
    { length: Math.ceil(texts.length / TEXTS_PER_CALL) },
    (_, call) => call * TEXTS_PER_CALL,
  );
  await inParallel(CALLS_AT_ONCE, firsts, async (first) => {
    const some = texts.slice(first, first + TEXTS_PER_CALL);
    const { results } = await client.analyzeBatch({ texts: some, tier, options: undefined });
    for (const [place, text] of some.entries()) {
      const score = results[place]?.sentiment?.score;
      if (score === undefined) throw new Error(`a text was not answered: ${text}`);
      truth.set(text, score);
    }
  });
  return truth;
}

/** How many calls failed and why, how many answers were wrong, and how long they took. */
export function summary(calls: readonly LoadedCall[], truth: Truth): string {
  const failed = calls.filter(({ failure }) => failure !== undefined);
  const reasons = [...new Set(failed.map(({ failure }) => failure?.reason))].join();
  const failures =
    failed.length === 0 ? "0 failed" : `${failed.length} failed (${reasons}) in ${times(failed)}`;
  const wrong = wrongOf(calls, truth).length;
  return `${calls.length} calls, ${failures}, ${wrong} wrong; p50/p99/most ${times(calls)}`;
}

const times = (calls: readonly LoadedCall[]) =>
  `${[0.5, 0.99, 1].map((share) => tookMs(calls, share).toFixed(1)).join("/")} ms`;

export const tookMs = (calls: readonly LoadedCall[], share: number): number =>
  quantile(
    calls.map((call) => call.tookMs),
    share,
  );
