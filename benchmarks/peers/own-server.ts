import {
  AnalyzeBatchRequest,
  AnalyzeBatchResponse,
  AnalyzeRequest,
  AnalyzeResponse,
  type Sentiment,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { HARDLY_CACHED, startServer } from "../server.js";
import { GrpcConnection } from "./grpc-connection.js";
import { nameOf } from "./label.js";
import type { Served } from "./served.js";

const CONNECTIONS = 4;
const tier = Tier.TIER_BALANCED;
const { fullName, methods } = SentimentServiceDefinition;
const ANALYZE = `/${fullName}/${methods.analyze.name}`;
const ANALYZE_BATCH = `/${fullName}/${methods.analyzeBatch.name}`;

const labelOf = ({ sentiment }: { readonly sentiment?: Sentiment | undefined }) =>
  nameOf(sentiment?.label);

/** Embedded backend, nothing answered from a cache, all else as by default, but that only the model which is asked is loaded: peers have no more. */
export async function startOwn(): Promise<Served> {
  const server = await startServer({
    ...HARDLY_CACHED,
    BACKEND: "embedded",
    DEFAULT_TIER: "balanced",
    PREFETCH_MODELS: "false",
  });
  const connections = Array.from({ length: CONNECTIONS }, () => new GrpcConnection(server.address));
  let calls = 0;
  const next = () => connections[calls++ % CONNECTIONS] as GrpcConnection;
  return {
    title: "this server",
    pid: server.pid,
    async ask(text) {
      const request = { text, tier, options: undefined };
      return labelOf(await next().call(ANALYZE, [AnalyzeRequest, AnalyzeResponse], request));
    },
    async askMany(texts) {
      const request = { texts: [...texts], tier, options: undefined };
      const codecs = [AnalyzeBatchRequest, AnalyzeBatchResponse] as const;
      return (await next().call(ANALYZE_BATCH, codecs, request)).results.map(labelOf);
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
