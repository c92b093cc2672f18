import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient } from "nice-grpc";
import { ClientError, Metadata, Status } from "nice-grpc-common";
import {
  type AnalyzeOptions,
  type AnalyzeResponse,
  LongText,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
  type Timing,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { millisecondsOf } from "../support/milliseconds.js";
import { sentences } from "../support/sentences.js";

const TEXTS = sentences(12).map((text) => `Canary: ${text}`);
const APART_MS = 20;
/** Of a score: what stands beside a row in its batch moves it a little. */
const TOLERANCE = 0.05;
const OWN_CONNECTION = { "grpc.use_local_subchannel_pool": 1 };
/** Half of what it asks, the model has to be run for. */
const ASKED: readonly (AnalyzeOptions | undefined)[] = [
  undefined,
  { explain: false, sentences: false, skipCache: true, longText: LongText.LONG_TEXT_UNSPECIFIED },
];

export interface Sung {
  readonly calls: number;
  /** Answers that were wrong, and calls that failed. */
  readonly faults: readonly string[];
  /** Calls that were refused for load, which a busy server may do. */
  readonly refused: number;
  readonly slowest: Slowest;
}

/** The call that took longest, in milliseconds, and where its time went as far as its answer says. */
interface Slowest {
  readonly ms: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
  /** Since it began to sing. */
  readonly atMs: number;
}

/** A client that does nothing wrong: it asks about the same few texts over and over, and must get the answers that it got before. */
export class Canary {
  readonly #client: SentimentServiceClient;
  readonly #close: () => void;
  readonly #metadata: Metadata;
  readonly #truth = new Map<string, number>();
  readonly #stopped = new AbortController();
  readonly #faults: string[] = [];
  #calls = 0;
  #refused = 0;
  #slowest: Slowest = { ms: 0, queueMs: 0, inferenceMs: 0, atMs: 0 };
  #sinceMs = 0;

  private constructor(address: string, key: string) {
    const channel = createChannel(address, undefined, OWN_CONNECTION);
    this.#client = createClient(SentimentServiceDefinition, channel);
    this.#close = () => channel.close();
    this.#metadata = Metadata({ authorization: `Bearer ${key}` });
  }

  /** Once it knows what is right. */
  static async hatch(address: string, key: string): Promise<Canary> {
    const canary = new Canary(address, key);
    for (const text of TEXTS) canary.#truth.set(text, scoreOf(await canary.#ask(text, undefined)));
    return canary;
  }

  /** Until it is silenced. */
  async sing(): Promise<Sung> {
    this.#sinceMs = performance.now();
    while (!this.#stopped.signal.aborted) {
      await this.#once(TEXTS[this.#calls % TEXTS.length] ?? "", ASKED[this.#calls % ASKED.length]);
      await sleep(APART_MS);
    }
    this.#close();
    const [calls, faults, refused] = [this.#calls, this.#faults, this.#refused];
    return { calls, faults, refused, slowest: this.#slowest };
  }

  silence(): void {
    this.#stopped.abort();
  }

  async #once(text: string, options: AnalyzeOptions | undefined): Promise<void> {
    const startedMs = performance.now();
    this.#calls++;
    let timing: Timing | undefined;
    try {
      const answer = await this.#ask(text, options);
      timing = answer.timing;
      const score = scoreOf(answer);
      const truth = this.#truth.get(text) ?? Number.NaN;
      if (!(Math.abs(score - truth) <= TOLERANCE))
        this.#faults.push(`${text} was ${truth}, and is ${score}`);
    } catch (error) {
      if (error instanceof ClientError && error.code === Status.RESOURCE_EXHAUSTED) this.#refused++;
      else this.#faults.push(String(error));
    }
    const ms = performance.now() - startedMs;
    if (ms < this.#slowest.ms) return;
    const [queueMs, inferenceMs] = [
      millisecondsOf(timing?.queue),
      millisecondsOf(timing?.inference),
    ];
    this.#slowest = { ms, queueMs, inferenceMs, atMs: startedMs - this.#sinceMs };
  }

  #ask(text: string, options: AnalyzeOptions | undefined): Promise<AnalyzeResponse> {
    const request = { text, tier: Tier.TIER_FAST, options };
    return this.#client.analyze(request, { metadata: this.#metadata });
  }
}

const scoreOf = ({ sentiment }: AnalyzeResponse): number => sentiment?.score ?? Number.NaN;
