import { createChannel, createClient, Metadata } from "nice-grpc";
import { ErrorInfo } from "../../server/gen/google/rpc/error_details.js";
import type { Status } from "../../server/gen/google/rpc/status.js";
import {
  type AnalyzeStreamResponse,
  type Sentiment,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  type Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";

/** What became of one text: an answer, or why there is none. */
export type Outcome =
  | { readonly text: string; readonly sentiment: Sentiment }
  | {
      readonly text: string;
      readonly error: { readonly reason: string; readonly message: string };
    };

export interface SentimentClient extends Disposable {
  /**
   * Outcomes of the texts, in their order, as they come; texts are read as fast as the server takes them. Throws what
   * concerns the whole stream: ClientError when the server is not there or goes away.
   */
  analyze(texts: AsyncIterable<string> | Iterable<string>, tier: Tier): AsyncGenerator<Outcome>;
}

/** Texts sent and not yet handed out: what the client keeps in memory. */
const MAX_UNDER_WAY = 512;

/** `key` goes along with every call; undefined: none. */
export function connect(address: string, key?: string): SentimentClient {
  const channel = createChannel(address);
  const metadata = key === undefined ? Metadata() : Metadata({ authorization: `Bearer ${key}` });
  const client: SentimentServiceClient = createClient(SentimentServiceDefinition, channel, {
    "*": { metadata },
  });
  return {
    analyze: (texts, tier) => inOrder(client, texts, tier),
    [Symbol.dispose]: () => channel.close(),
  };
}

async function* inOrder(
  client: SentimentServiceClient,
  texts: AsyncIterable<string> | Iterable<string>,
  tier: Tier,
): AsyncGenerator<Outcome> {
  const sent = new Map<string, string>();
  const early = new Map<string, AnalyzeStreamResponse>();
  let room = Promise.withResolvers<void>();
  let count = 0;

  async function* requests() {
    for await (const text of texts) {
      while (sent.size >= MAX_UNDER_WAY) await room.promise;
      const id = String(count++);
      sent.set(id, text);
      yield { id, text, tier, options: undefined };
    }
  }

  let next = 0;
  for await (const response of client.analyzeStream(requests())) {
    early.set(response.id, response);
    for (
      let ready = early.get(String(next));
      ready !== undefined;
      ready = early.get(String(next))
    ) {
      early.delete(ready.id);
      const text = sent.get(ready.id) ?? "";
      sent.delete(ready.id);
      room.resolve();
      room = Promise.withResolvers();
      next++;
      yield outcomeOf(text, ready);
    }
  }
  if (sent.size > 0)
    throw new Error(`the server ended the stream with ${sent.size} texts unanswered`);
}

function outcomeOf(text: string, { sentiment, error }: AnalyzeStreamResponse): Outcome {
  if (sentiment !== undefined) return { text, sentiment };
  return { text, error: { reason: reasonOf(error), message: error?.message ?? "no answer" } };
}

function reasonOf(status: Status | undefined): string {
  const info = status?.details.find(({ typeUrl }) => typeUrl.endsWith("google.rpc.ErrorInfo"));
  return info === undefined ? "UNKNOWN" : ErrorInfo.decode(info.value).reason;
}
