import assert from "node:assert/strict";
import { type SentimentServiceClient, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { openLoop } from "./open-loop.js";
import { sentences } from "./sentences.js";

/** One of so many calls is an AnalyzeBatch. */
const BATCH_EVERY = 20;
const TEXTS = sentences(500);
const tier = Tier.TIER_FAST;

export const textAt = (place: number): string => TEXTS[place % TEXTS.length] ?? "";

/** Asks so often a second until the signal fires, each call once; resolves when all are over, with how many there were. `lost`: those that failed, with their errors. */
export const unretriedCalls = (
  client: SentimentServiceClient,
  callsPerSecond: number,
  over: AbortSignal,
  lost: string[],
): Promise<number> =>
  openLoop(callsPerSecond, over, async (place) => {
    try {
      await ask(client, place);
    } catch (error) {
      lost.push(`call ${place}: ${error}`);
    }
  });

async function ask(client: SentimentServiceClient, place: number): Promise<void> {
  if (place % BATCH_EVERY > 0) {
    const request = { text: textAt(place), tier, options: undefined };
    assert.ok((await client.analyze(request)).sentiment);
    return;
  }
  const texts = [textAt(place), textAt(7 * place + 1)];
  const { results } = await client.analyzeBatch({ texts, tier, options: undefined });
  assert.equal(results.filter(({ sentiment }) => sentiment).length, texts.length);
}
