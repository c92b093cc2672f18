import { nothingSaid } from "./asking/answer.js";
import { askBatch, askInBatches } from "./asking/batches.js";
import { outcomesOf } from "./asking/run.js";
import { askByStream } from "./asking/stream.js";
import { Calls } from "./calls.js";
import { openChannel } from "./channel.js";
import {
  type BatchOptions,
  type CallLimits,
  type CallOptions,
  type ConnectOptions,
  countOf,
  type StreamOptions,
  type Texts,
} from "./options.js";
import type { Analysis, Model, Outcome } from "./sentiment.js";
import { analysisOf, modelOf, wantedOf } from "./wire.js";

/** Calls reject with SentimentError, or with the reason of their signal. */
export interface SentimentClient extends Disposable {
  /** One text. */
  analyze(text: string, options?: CallOptions): Promise<Analysis>;
  /** One call with up to 100 texts: an outcome each, in their order. A bad text fails no other. */
  analyzeBatch(texts: readonly string[], options?: CallOptions): Promise<Outcome[]>;
  /** What is served, fast first. */
  models(limits?: CallLimits): Promise<Model[]>;
  /**
   * Any number of texts, an endless one too, by AnalyzeBatch calls, several at once: an outcome each, in their order, as they come.
   * What is refused with UNAVAILABLE or RESOURCE_EXHAUSTED is asked again when the server wants it, and a call that breaks on its way
   * or meets its deadline too. Throws what no other try would mend, what the iterable throws, and when nothing is answered for
   * `giveUpMs`. Leaving the loop ends what is under way.
   */
  analyzeAll(texts: Texts, options?: BatchOptions): AsyncGenerator<Outcome, void, undefined>;
  /** The same by one AnalyzeStream, which is opened anew when it breaks; then only what was not answered is asked again. */
  analyzeStream(texts: Texts, options?: StreamOptions): AsyncGenerator<Outcome, void, undefined>;
  /** Ends what is under way: it rejects with CANCELLED, reason CLIENT_CLOSED. May be called again. */
  close(): void;
}

/** Names of servers in gRPC's way (`dns:///sentiment:50051`), or `https://host:port` for TLS. It connects at the first call. */
export function connect(
  address: string = process.env["SENTIMENT_ADDRESS"] || "127.0.0.1:50051",
  options: ConnectOptions = {},
): SentimentClient {
  const { apiKey, deadlineMs = 30_000 } = options;
  // What metadata cannot carry, gRPC would repeat in its own message.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new TypeError("apiKey must be printable ASCII without blanks, and not empty");
  const calls = new Calls(openChannel(address, options), apiKey, deadlineMs);
  return {
    analyze: (text, how = {}) => analyze(calls, text, how),
    analyzeBatch: (texts, how = {}) => analyzeBatch(calls, texts, how),
    models: (limits) => models(calls, limits),
    analyzeAll: (texts, how = {}) => analyzeAll(calls, texts, how),
    analyzeStream: (texts, how = {}) => analyzeStream(calls, texts, how),
    close: () => calls.close(),
    [Symbol.dispose]: () => calls.close(),
  };
}

async function analyze(calls: Calls, text: string, how: CallOptions): Promise<Analysis> {
  const request = { text, ...wantedOf(how) };
  const answer = await calls.unary((client, options) => client.analyze(request, options), how);
  const analysis = analysisOf(answer);
  if (analysis) return analysis;
  throw nothingSaid();
}

async function analyzeBatch(
  calls: Calls,
  texts: readonly string[],
  how: CallOptions,
): Promise<Outcome[]> {
  const answers = await askBatch(calls, texts, wantedOf(how), how);
  return answers.map((answer, index) => ({ index, text: texts[index] ?? "", ...answer }));
}

async function models(calls: Calls, limits: CallLimits | undefined): Promise<Model[]> {
  const answer = await calls.unary((client, options) => client.listModels({}, options), limits);
  return answer.models.map(modelOf);
}

function analyzeAll(calls: Calls, texts: Texts, how: BatchOptions) {
  const batchSize = countOf("batchSize", how.batchSize ?? 32);
  const concurrency = countOf("concurrency", how.concurrency ?? 4);
  const limits = { batchSize, concurrency, deadlineMs: how.deadlineMs };
  // Room for as many again, so that one slow call does not hold up the others.
  const size = 2 * batchSize * concurrency;
  return outcomesOf(calls, texts, { size, inOrder: true }, how, (asking) =>
    askInBatches(asking, limits),
  );
}

function analyzeStream(calls: Calls, texts: Texts, how: StreamOptions) {
  const size = countOf("maxUnderWay", how.maxUnderWay ?? 256);
  const { inOrder = true } = how;
  return outcomesOf(calls, texts, { size, inOrder }, how, askByStream);
}
