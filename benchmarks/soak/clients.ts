import { PassThrough } from "node:stream";
import { isAbortError } from "abort-controller-x";
import {
  type Channel,
  ClientError,
  createChannel,
  createClient,
  Metadata,
  Status,
} from "nice-grpc";
import {
  type AnalyzeStreamRequest,
  type SentimentServiceClient,
  SentimentServiceDefinition,
} from "../../server/gen/sentiment/v1/sentiment.js";
import type { Ask } from "./traffic.js";

/** While the model works for a long text. */
const LEAVES_AFTER_MS = 15;

/** How often something ended in what way, as in "batch OK". */
export type Counts = Record<string, number>;

/** One connection, over which a client makes calls of every kind until it is closed; a stream stays open meanwhile. */
export class SoakClient {
  readonly #channel: Channel;
  readonly #client: SentimentServiceClient;
  readonly #counts: Counts;
  readonly #streamed = new PassThrough({ objectMode: true });
  readonly #stream: Promise<void>;
  readonly #underWay = new Set<Promise<string>>();
  #streamedTexts = 0;
  #answeredTexts = 0;

  constructor(address: string, key: string, counts: Counts) {
    this.#counts = counts;
    this.#channel = createChannel(address, undefined, { "grpc.use_local_subchannel_pool": 1 });
    this.#client = createClient(SentimentServiceDefinition, this.#channel, {
      "*": { metadata: Metadata({ authorization: `Bearer ${key}` }) },
    });
    this.#stream = this.#readStream();
  }

  /** Never rejects. */
  async send(ask: Ask): Promise<void> {
    if (ask.kind === "stream") {
      const id = String(this.#streamedTexts++);
      this.#streamed.write({ id, text: ask.text, tier: ask.tier, options: undefined });
      return;
    }
    const call = codeOf(() => this.#call(ask));
    this.#underWay.add(call);
    this.#count(`${ask.kind} ${await call}`);
    this.#underWay.delete(call);
  }

  /** Lets what is under way end. */
  async close(): Promise<void> {
    this.#streamed.end();
    await Promise.all([this.#stream, ...this.#underWay]);
    const lost = this.#streamedTexts - this.#answeredTexts;
    if (lost > 0) this.#count("stream text LOST", lost);
    this.#channel.close();
  }

  async #call(ask: Exclude<Ask, { kind: "stream" }>): Promise<unknown> {
    if (ask.kind === "batch") {
      const { tier } = ask;
      const texts = [...ask.texts];
      const { results } = await this.#client.analyzeBatch({ texts, tier, options: undefined });
      for (const [place, asked] of texts.entries()) {
        const { error } = results[place] ?? { error: { code: Status.DATA_LOSS } };
        const isRight = (asked.trim() === "") === (error?.code === Status.INVALID_ARGUMENT);
        this.#count(`batch text ${isRight ? Status[error?.code ?? Status.OK] : "WRONG"}`);
      }
      return;
    }
    const { text, tier, options } = ask;
    const signal = ask.kind === "left" ? { signal: AbortSignal.timeout(LEAVES_AFTER_MS) } : {};
    return await this.#client.analyze({ text, tier, options }, signal);
  }

  async #readStream(): Promise<void> {
    const requests: AsyncIterable<AnalyzeStreamRequest> = this.#streamed;
    const code = await codeOf(async () => {
      for await (const { error } of this.#client.analyzeStream(requests)) {
        this.#answeredTexts++;
        this.#count(`stream text ${error ? Status[error.code] : "OK"}`);
      }
    });
    this.#count(`stream ${code}`);
  }

  #count(what: string, by = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + by;
  }
}

async function codeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "OK";
  } catch (error) {
    if (error instanceof ClientError) return Status[error.code] ?? "UNKNOWN";
    // AbortSignal.timeout's own error, or what nice-grpc makes of it.
    if (isAbortError(error) || (error as Error).name === "TimeoutError") return "CANCELLED";
    return String(error);
  }
}
