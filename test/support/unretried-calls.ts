import assert from "node:assert/strict";
import type { CallOptions } from "nice-grpc";
import { type SentimentServiceClient, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { openLoop } from "./open-loop.js";
import { sentences } from "./sentences.js";

/** One of so many calls is an AnalyzeBatch. */
const BATCH_EVERY = 20;
const TEXTS = sentences(500);
const tier = Tier.TIER_FAST;

/** Calls that were not answered, each with its error. */
export interface Lost {
  readonly failed: string[];
  /** Those whose answer had begun: nobody can ask another server then. */
  readonly cut: string[];
}

export const textAt = (place: number): string => TEXTS[place % TEXTS.length] ?? "";

/** Asks so often a second until the signal fires, each call once; resolves when all are over, with how many there were. */
export const unretriedCalls = (
  client: SentimentServiceClient,
  callsPerSecond: number,
  over: AbortSignal,
  lost: Lost,
): Promise<number> =>
  openLoop(callsPerSecond, over, async (place) => {
    let hasBegun = false;
    const onHeader = () => {
      hasBegun = true;
    };
    try {
      await ask(client, place, { onHeader });
    } catch (error) {
      (hasBegun ? lost.cut : lost.failed).push(`call ${place}: ${error}`);
    }
  });

async function ask(
  client: SentimentServiceClient,
  place: number,
  watched: CallOptions,
): Promise<void> {
  if (place % BATCH_EVERY > 0) {
    const request = { text: textAt(place), tier, options: undefined };
    assert.ok((await client.analyze(request, watched)).sentiment);
    return;
  }
  const texts = [textAt(place), textAt(7 * place + 1)];
  const { results } = await client.analyzeBatch({ texts, tier, options: undefined }, watched);
  assert.ok(results.every(({ sentiment }) => sentiment));
}
