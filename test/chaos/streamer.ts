import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError, Status } from "nice-grpc-common";
import type {
  AnalyzeStreamRequest,
  Sentiment,
  SentimentServiceClient,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { failureIn, LIMIT_MS } from "./ask.js";
import type { Failure } from "./check.js";

const REOPEN_MS = 200;
/** What gRPC says of a stream whose server has died. */
const BROKEN = new Set([Status.UNAVAILABLE, Status.CANCELLED, Status.INTERNAL, Status.UNKNOWN]);
/** Of an error of the server's own. */
const BUG = "Its log has the cause";

type StreamedText = Omit<AnalyzeStreamRequest, "id">;

interface Streamed {
  readonly sentiment: Sentiment | undefined;
  readonly failure: Failure | undefined;
  /** How often the stream broke off meanwhile. */
  readonly reopened: number;
}

interface Pending {
  readonly request: AnalyzeStreamRequest;
  reopened: number;
  resolve(streamed: Streamed): void;
}

/** Texts through one stream that is opened anew whenever it breaks off; what it had not answered then is asked again, as by the client for Spark. */
export class Streamer {
  #lastId = 0;
  #ended = false;
  #requests = new PassThrough({ objectMode: true });
  readonly #faults: string[] = [];
  readonly #breaks: number[] = [];
  readonly #pending = new Map<string, Pending>();
  readonly #client: SentimentServiceClient;
  /** Of the load that it is a part of. */
  readonly #nowMs: () => number;
  readonly #running: Promise<void>;

  constructor(client: SentimentServiceClient, nowMs: () => number) {
    [this.#client, this.#nowMs] = [client, nowMs];
    this.#running = this.#run();
  }

  get faults(): readonly string[] {
    return this.#faults;
  }

  /** When the stream broke off, which only a part that is down explains. */
  get breaksMs(): readonly number[] {
    return this.#breaks;
  }

  /** Never rejects. */
  async ask(text: StreamedText): Promise<Streamed> {
    const id = String(++this.#lastId);
    const { promise, resolve } = Promise.withResolvers<Streamed>();
    const request = { id, ...text };
    const pending: Pending = { request, reopened: 0, resolve };
    this.#pending.set(id, pending);
    this.#requests.write(request);
    const message = `no answer in a stream within ${LIMIT_MS / 1000} s`;
    const late = { code: Status.UNKNOWN, message, retryAfterSeconds: undefined };
    const timer = setTimeout(
      () => resolve({ sentiment: undefined, failure: late, reopened: pending.reopened }),
      LIMIT_MS,
    );
    return await promise.finally(() => {
      clearTimeout(timer);
      this.#pending.delete(id);
    });
  }

  /** When all that was asked is answered. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#requests.end();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#readStream();
      if (this.#ended && this.#pending.size === 0) return;
      await sleep(REOPEN_MS);
      this.#requests = new PassThrough({ objectMode: true });
      for (const pending of this.#pending.values()) {
        pending.reopened++;
        this.#requests.write(pending.request);
      }
      if (this.#ended) this.#requests.end();
    }
  }

  async #readStream(): Promise<void> {
    const requests: AsyncIterable<AnalyzeStreamRequest> = this.#requests;
    try {
      for await (const { id, sentiment, error } of this.#client.analyzeStream(requests)) {
        const pending = this.#pending.get(id);
        const failure = error && failureIn(error);
        pending?.resolve({ sentiment, failure, reopened: pending.reopened });
      }
      if (!this.#ended) this.#faults.push("a stream ended before its client had");
    } catch (error) {
      // What it has not answered is asked again.
      this.#breaks.push(this.#nowMs());
      const isBroken = error instanceof ClientError && BROKEN.has(error.code);
      if (!isBroken || error.details.includes(BUG)) this.#faults.push(`a stream: ${error}`);
    }
  }
}
