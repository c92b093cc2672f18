import { createChannel, createClient } from "nice-grpc";
import {
  type Sentiment,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  type Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { startServer } from "../support/server-process.js";
import type { Verdict } from "./check.js";

const TEXTS_PER_CALL = 100;

/** What a server said of texts while nothing was wrong. */
export class Truths {
  readonly #verdicts = new Map<string, Verdict>();

  of({ text, tier }: { readonly text: string; readonly tier: Tier }): Verdict | undefined {
    return this.#verdicts.get(`${tier} ${text}`);
  }

  /** Throws when a text is not answered. */
  async learn(client: SentimentServiceClient, texts: readonly string[], tier: Tier): Promise<void> {
    for (let first = 0; first < texts.length; first += TEXTS_PER_CALL) {
      const some = texts.slice(first, first + TEXTS_PER_CALL);
      const { results } = await client.analyzeBatch({ texts: some, tier, options: undefined });
      for (const [place, text] of some.entries())
        this.#verdicts.set(`${tier} ${text}`, answered(results[place]?.sentiment));
    }
  }
}

function answered(sentiment: Sentiment | undefined): Verdict {
  if (sentiment === undefined) throw new Error("there is no truth where there is no answer");
  return { label: sentiment.label, score: sentiment.score };
}

/** By a server of its own, without caches, that runs the models itself. */
export async function truthsOf(
  repository: string,
  texts: readonly string[],
  tiers: readonly Tier[],
): Promise<Truths> {
  await using server = await startServer({
    MODEL_REPOSITORY: repository,
    ENABLE_CACHING: "false",
    WARM_UP_FILE: "/dev/null",
  });
  const channel = createChannel(server.address);
  const truths = new Truths();
  const client = createClient(SentimentServiceDefinition, channel);
  for (const tier of tiers) await truths.learn(client, texts, tier);
  channel.close();
  return truths;
}
