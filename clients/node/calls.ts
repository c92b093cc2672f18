import type { Channel } from "@grpc/grpc-js";
import { createClient } from "nice-grpc";
import { type CallOptions, Metadata } from "nice-grpc-common";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { withDeadline } from "./channel.js";
import { callError } from "./details.js";
import { SentimentError } from "./errors.js";
import type { CallLimits } from "./options.js";
import { addTraceContext } from "./trace-context.js";

/** Makes the calls of one channel, and ends those that are under way when it is closed. */
export class Calls {
  readonly #channel: Channel;
  readonly #client: SentimentServiceClient;
  readonly #apiKey: string | undefined;
  readonly #deadlineMs: number;
  readonly #underWay = new Set<AbortController>();
  #closed = false;

  constructor(channel: Channel, apiKey: string | undefined, deadlineMs: number) {
    this.#channel = channel;
    this.#client = createClient(SentimentServiceDefinition, channel);
    this.#apiKey = apiKey;
    this.#deadlineMs = deadlineMs;
  }

  /** Rejects with SentimentError, or the signal's reason. */
  async unary<Answer>(
    ask: (client: SentimentServiceClient, options: CallOptions) => Promise<Answer>,
    { deadlineMs = this.#deadlineMs, signal }: CallLimits = {},
  ): Promise<Answer> {
    const call = this.#begin(signal);
    try {
      return await withDeadline(deadlineMs, () => ask(this.#client, call.options));
    } catch (error) {
      throw call.failure(error);
    } finally {
      call.end();
    }
  }

  /** Without a deadline: the server has one for each text. Throws as `unary` does. */
  async *stream<Answer>(
    ask: (client: SentimentServiceClient, options: CallOptions) => AsyncIterable<Answer>,
    signal: AbortSignal,
  ): AsyncGenerator<Answer> {
    const call = this.#begin(signal);
    try {
      yield* ask(this.#client, call.options);
    } catch (error) {
      throw call.failure(error);
    } finally {
      call.end();
    }
  }

  /** Again and again without harm. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#underWay) call.abort(closedError());
    this.#channel.close();
  }

  #begin(signal: AbortSignal | undefined) {
    if (this.#closed) throw closedError();
    signal?.throwIfAborted();
    const call = new AbortController();
    const leave = () => call.abort(signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    this.#underWay.add(call);
    let trailer: Metadata | undefined;
    const onTrailer = (received: Metadata) => {
      trailer = received;
    };
    return {
      options: { metadata: this.#metadata(), signal: call.signal, onTrailer },
      // Whoever ended the call knows why, nice-grpc does not always.
      failure: (error: unknown) =>
        call.signal.aborted ? call.signal.reason : callError(error, trailer),
      end: () => {
        signal?.removeEventListener("abort", leave);
        this.#underWay.delete(call);
      },
    };
  }

  #metadata(): Metadata {
    const metadata = Metadata(
      this.#apiKey === undefined ? {} : { authorization: `Bearer ${this.#apiKey}` },
    );
    addTraceContext(metadata);
    return metadata;
  }
}

const closedError = () =>
  new SentimentError("CANCELLED", "the client was closed", { reason: "CLIENT_CLOSED" });
