import { type Channel, createChannel, createClient } from "nice-grpc";
import { RETRY_POLICY } from "../../clients/node/channel.js";
import {
  type AnalyzeOptions,
  CacheTier,
  LongText,
  type Sentiment,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { openLoop } from "../support/open-loop.js";
import { sentences } from "../support/sentences.js";
import { asked, failureIn } from "./ask.js";
import {
  distanceOf,
  type Failure,
  isToldToAskAgain,
  type Outcome,
  outcomeOf,
  outcomeOfFailure,
  worstOf,
} from "./check.js";
import { Streamer } from "./streamer.js";
import type { Called } from "./summary.js";
import type { Truths } from "./truth.js";

export const TEXTS = sentences(2000);
export const TIERS = [Tier.TIER_FAST, Tier.TIER_BALANCED] as const;
/** Half of the texts are these, so that they are in memory. */
const HOT = 50;
const CALLS_PER_SECOND = 50;
/** Of so many calls one is an AnalyzeBatch, and so many are texts of a stream. */
const BATCH_EVERY = 25;
const STREAM_EVERY = 5;
const BATCHED = 8;
const SKIP_CACHE_SHARE = 0.3;
const SKIP_CACHE: AnalyzeOptions = {
  explain: false,
  sentences: false,
  skipCache: true,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};
const CONNECTIONS = 4;
const RETRIES = {
  methodConfig: [
    { name: [{ service: SentimentServiceDefinition.fullName }], retryPolicy: RETRY_POLICY },
  ],
};

/** One question: a text, for a tier, perhaps past the caches. */
export interface Question {
  readonly text: string;
  readonly tier: Tier;
  readonly options: AnalyzeOptions | undefined;
}

/** Calls of all three kinds at a steady rate, each answer compared with the truth. */
export class ChaosLoad implements Disposable {
  #farthest = 0;
  #fromRedis = 0;
  #byTriton = 0;
  readonly #called: Called[] = [];
  readonly #startedMs = performance.now();
  readonly #channels: readonly Channel[];
  readonly #clients: readonly SentimentServiceClient[];
  readonly #streamer: Streamer;
  readonly #truths: Truths;
  readonly #chance: () => number;

  constructor(address: string, truths: Truths, chance: () => number) {
    [this.#truths, this.#chance] = [truths, chance];
    this.#channels = Array.from({ length: CONNECTIONS + 1 }, () =>
      createChannel(address, undefined, {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.service_config": JSON.stringify(RETRIES),
      }),
    );
    const [forStream, ...others] = this.#channels.map((channel) =>
      createClient(SentimentServiceDefinition, channel),
    );
    if (forStream === undefined) throw new Error("no connection");
    this.#clients = others;
    this.#streamer = new Streamer(forStream, () => this.nowMs);
  }

  /** Since it was made. */
  get nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** Ends of streams that no part that is down explains; `isDown`: whether one was at that time. */
  streamFaults(isDown: (atMs: number) => boolean): readonly string[] {
    const unexplained = this.#streamer.breaksMs.filter((atMs) => !isDown(atMs));
    return [
      ...this.#streamer.faults,
      ...unexplained.map(
        (atMs) => `a stream broke off at ${atMs.toFixed(0)} ms while nothing was down`,
      ),
    ];
  }

  /** How far a score was from the truth at most, of the answers that were right. */
  get farthest(): number {
    return this.#farthest;
  }

  /** How many of the right answers came out of Redis, and how many Triton has made, now or before: some are both. */
  get origins(): { readonly redis: number; readonly triton: number } {
    return { redis: this.#fromRedis, triton: this.#byTriton };
  }

  /** Until the signal; resolves with all calls once the last one is over. */
  async run(over: AbortSignal): Promise<readonly Called[]> {
    await openLoop(CALLS_PER_SECOND, over, (place) => this.#send(place));
    await this.#streamer.end();
    return this.#called;
  }

  [Symbol.dispose](): void {
    for (const channel of this.#channels) channel.close();
  }

  async #send(place: number): Promise<void> {
    const sentMs = this.nowMs;
    const client = this.#clients[place % CONNECTIONS];
    if (client === undefined) return;
    const ended = await this.#ask(client, place);
    this.#called.push({ ...ended, sentMs, tookMs: this.nowMs - sentMs });
  }

  #ask(client: SentimentServiceClient, place: number): Promise<Ended> {
    if (place % BATCH_EVERY === 0) return this.#batch(client);
    if (place % STREAM_EVERY === 1) return this.#stream(client);
    return this.#one(client, this.#question());
  }

  async #one(client: SentimentServiceClient, question: Question): Promise<Ended> {
    const ended = await asked((call) => client.analyze(question, call));
    if ("failure" in ended) return failedEnd(ended.failure, ended.retries);
    return this.#judged(question, ended.answer.sentiment, ended.retries);
  }

  async #batch(client: SentimentServiceClient): Promise<Ended> {
    const { tier, options } = this.#question();
    const texts = Array.from({ length: BATCHED }, () => this.#question().text);
    const ended = await asked((call) => client.analyzeBatch({ texts, tier, options }, call));
    if ("failure" in ended) return failedEnd(ended.failure, ended.retries);
    const ends = await Promise.all(
      texts.map((text, place) => {
        const { sentiment, error } = ended.answer.results[place] ?? {};
        const question = { text, tier, options };
        // gRPC tries no single text again: that is the caller's.
        if (error === undefined) return this.#judged(question, sentiment, 0);
        const failure = failureIn(error);
        return isToldToAskAgain(failure) ? this.#again(client, question) : failedEnd(failure, 0);
      }),
    );
    const outcome = worstOf(ends.map((end) => end.outcome));
    const retries = ended.retries + ends.reduce((sum, end) => sum + end.retries, 0);
    const detail = ends.find((end) => end.outcome === outcome)?.detail ?? "";
    return { outcome, retries, detail };
  }

  async #stream(client: SentimentServiceClient): Promise<Ended> {
    const question = this.#question();
    const { sentiment, failure, reopened } = await this.#streamer.ask(question);
    if (failure === undefined) return this.#judged(question, sentiment, reopened);
    if (isToldToAskAgain(failure)) return await this.#again(client, question);
    return failedEnd(failure, reopened);
  }

  /** A text that was told to be asked again. */
  async #again(client: SentimentServiceClient, question: Question): Promise<Ended> {
    const ended = await this.#one(client, question);
    return { ...ended, retries: ended.retries + 1 };
  }

  #judged(question: Question, sentiment: Sentiment | undefined, retries: number): Ended {
    if (sentiment === undefined) return { outcome: "failed", retries, detail: "an empty answer" };
    const truth = this.#truths.of(question);
    const outcome = outcomeOf(sentiment, truth);
    const { label, score, cache, modelVersion } = sentiment;
    if (outcome === "right") {
      this.#farthest = Math.max(this.#farthest, distanceOf(sentiment, truth));
      this.#fromRedis += Number(cache === CacheTier.CACHE_TIER_REDIS);
      this.#byTriton += Number(modelVersion.includes("+triton."));
    }
    const detail =
      outcome === "right"
        ? ""
        : `${question.text} (tier ${question.tier}): ${label} ${score}, not ${truth?.label} ${truth?.score}`;
    return { outcome, retries, detail };
  }

  #question(): Question {
    const among = this.#chance() < 0.5 ? HOT : TEXTS.length;
    return {
      text: TEXTS[Math.floor(this.#chance() * among)] ?? "",
      tier: TIERS[Math.floor(this.#chance() * TIERS.length)] ?? Tier.TIER_FAST,
      options: this.#chance() < SKIP_CACHE_SHARE ? SKIP_CACHE : undefined,
    };
  }
}

type Ended = Pick<Called, "outcome" | "retries" | "detail">;

function failedEnd(failure: Failure, retries: number): Ended {
  const outcome: Outcome = outcomeOfFailure(failure);
  const detail = outcome === "refused" ? "" : `code ${failure.code}: ${failure.message}`;
  return { outcome, retries, detail };
}
