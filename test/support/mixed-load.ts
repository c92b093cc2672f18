import type { ChannelOptions } from "@grpc/grpc-js";
import { type Channel, createClient, type Metadata } from "nice-grpc";
import { GRPCInferenceServiceDefinition } from "../../server/gen/inference/grpc_service.js";
import {
  LongText,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { inferRequest } from "./infer-messages.js";
import { sentences } from "./sentences.js";

const TIERS = [Tier.TIER_FAST, Tier.TIER_BALANCED, Tier.TIER_ACCURATE, Tier.TIER_AUTO] as const;
/** More than a model reads at once, and an emoji that none of them knows. */
const LONG = `${"The soup was cold. ".repeat(200)} 🫨`;
const CUT = {
  explain: false,
  sentences: false,
  skipCache: true,
  longText: LongText.LONG_TEXT_TRUNCATE,
};
/** One of the client's own: equal ones would share one, and all calls reach one process. */
const OWN_CONNECTION = { "grpc.use_local_subchannel_pool": 1 };

/** Calls of every kind, good and bad, by two clients in turn, until it is disposed of: both repeat what the other asked a round before. */
export function mixedLoad(
  connect: (options: ChannelOptions) => Channel,
  metadata: Metadata,
): AsyncDisposable {
  const channels = [0, 1].map(() => connect(OWN_CONNECTION));
  const texts = sentences(400);
  let stopped = false;
  const loaded = (async () => {
    for (let round = 0; !stopped; round++) {
      const some = Array.from({ length: 4 }, (_, place) => textAt(texts, round + place));
      for (const channel of channels) await aRound(channel, metadata, some);
    }
  })();
  // It is told by disposing.
  loaded.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      await loaded.finally(() => {
        for (const channel of channels) channel.close();
      });
    },
  };
}

const textAt = (texts: readonly string[], place: number) => texts[place % texts.length] ?? "";

async function aRound(
  channel: Channel,
  metadata: Metadata,
  texts: readonly string[],
): Promise<void> {
  const options = { "*": { metadata } };
  const client = createClient(SentimentServiceDefinition, channel, options);
  const kserve = createClient(GRPCInferenceServiceDefinition, channel, options);
  const [text = ""] = texts;
  for (const tier of TIERS) await client.analyze({ text, tier, options: undefined });
  await client.analyze({ text: LONG, tier: Tier.TIER_FAST, options: CUT });
  await client.analyze({ text: "", tier: Tier.TIER_FAST, options: undefined }).catch(() => {});
  await client.analyzeBatch({ texts: [...texts, ""], tier: Tier.TIER_FAST, options: undefined });
  await kserve.modelInfer(inferRequest(texts));
  const asked = texts.map((text, id) => ({
    id: String(id),
    text,
    tier: Tier.TIER_FAST,
    options: undefined,
  }));
  let answers = 0;
  for await (const _ of client.analyzeStream(oneByOne(asked))) answers++;
  if (answers !== texts.length) throw new Error(`${answers} answers of ${texts.length}`);
}

async function* oneByOne<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
