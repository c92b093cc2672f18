/**
 * The noisy key's client, as a process of its own that only has the CPU time that nobody else wants: it stands for a machine elsewhere, whose own work is no doing
 * of the server's. Told `{ rate }`, calls a second, it uses up what the key has saved, says "loud", calls for so many seconds, and tells what it has heard.
 */
import { createChannel, createClient, Metadata } from "nice-grpc";
import {
  type AnalyzeOptions,
  LongText,
  SentimentServiceDefinition,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { outcomeOf } from "../../test/support/status-details.js";
import { type LoadedCall, steadyLoad } from "../../test/support/steady-load.js";
import { lognormalTexts } from "../texts.js";
import { TIER_MESSAGES, tierNamed } from "../tiers.js";

export interface Order {
  readonly rate: number;
}

/** Of one round. */
export interface Heard {
  readonly calls: number;
  readonly refused: number;
  /** Refused otherwise than RATE_LIMITED with RetryInfo. */
  readonly untold: number;
  /** Of what was let in: what is short finds room more often, so calls would say little. */
  readonly tokens: number;
}

const SPECIAL_TOKENS = 2;
/** Texts of a call that uses up what is left of a quota, first by many, then by few. */
const BATCHES = [100, 10, 1];

const [address = "", key = "", tierName = "", seconds = ""] = process.argv.slice(2);
const tier = TIER_MESSAGES[tierNamed(tierName)];
const metadata = Metadata({ "x-api-key": key });
const client = createClient(SentimentServiceDefinition, createChannel(address));
// Others than the calm key sends: equal ones that are under way together are answered together.
const texts = await lognormalTexts(4000, "triton-model-repo/sentiment_balanced/tokenizer.json", 2);

/** What a cache answers counts for nothing. */
const UNCACHED: AnalyzeOptions = {
  skipCache: true,
  sentences: false,
  explain: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

/** What it has saved up would make it louder than it is told to be. */
async function useUp(): Promise<void> {
  for (const size of BATCHES) {
    const request = { texts: texts.slice(0, size), tier, options: UNCACHED };
    const ask = () =>
      outcomeOf((options) => client.analyzeBatch(request, { ...options, metadata }));
    while ("answer" in (await ask()));
  }
}

/** Its words are one token each. */
const tokensOf = (text: string) => text.split(" ").length + SPECIAL_TOKENS;

function heard(calls: readonly LoadedCall[]): Heard {
  const failures = calls.flatMap(({ failure }) => failure ?? []);
  const told = failures.filter(
    ({ reason, retryAfterSeconds }) => reason === "RATE_LIMITED" && retryAfterSeconds !== undefined,
  );
  const answered = calls.filter(({ failure }) => failure === undefined);
  return {
    calls: calls.length,
    refused: failures.length,
    untold: failures.length - told.length,
    tokens: answered.reduce((sum, { text }) => sum + tokensOf(text), 0),
  };
}

process.on("message", async ({ rate }: Order) => {
  await useUp();
  process.send?.("loud");
  const load = { client, tier, texts, callsPerSecond: rate, seconds: Number(seconds), metadata };
  process.send?.(heard(await steadyLoad(load)));
});
process.send?.("ready");
