import {
  AnalyzeBatchRequest,
  AnalyzeBatchResponse,
  AnalyzeRequest,
  AnalyzeResponse,
  CacheTier,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { GrpcConnection } from "../peers/grpc-connection.js";
import { JsonClient } from "../peers/json-client.js";

const { fullName, methods } = SentimentServiceDefinition;
const pathOf = (method: { readonly name: string }) => `/${fullName}/${method.name}`;

/** A way to ask the fast tier, over connections that stay open; each answer is read to its last field. */
export interface Way extends Disposable {
  /** Rejects where the answer did not come from memory. */
  analyzeCached(text: string): Promise<void>;
  /** Rejects where a text was not answered. */
  analyzeBatch(texts: readonly string[]): Promise<void>;
}

function expect(fine: boolean, what: string): void {
  if (!fine) throw new Error(what);
}

export function byGrpc(address: string): Way {
  const connection = new GrpcConnection(address);
  const asked = { tier: Tier.TIER_FAST, options: undefined };
  return {
    async analyzeCached(text) {
      const codecs = [AnalyzeRequest, AnalyzeResponse] as const;
      const { sentiment } = await connection.call(pathOf(methods.analyze), codecs, {
        text,
        ...asked,
      });
      expect(sentiment?.cache === CacheTier.CACHE_TIER_MEMORY, "not from memory");
    },
    async analyzeBatch(texts) {
      const codecs = [AnalyzeBatchRequest, AnalyzeBatchResponse] as const;
      const request = { texts: [...texts], ...asked };
      const { results } = await connection.call(pathOf(methods.analyzeBatch), codecs, request);
      const answered = results.filter(({ sentiment }) => sentiment);
      expect(answered.length === texts.length, "a text was not answered");
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

interface Answered {
  readonly sentiment?: { readonly cache: string };
}

export function byRest(port: number): Way {
  const client = new JsonClient(port);
  const tier = "TIER_FAST";
  return {
    async analyzeCached(text) {
      const { sentiment }: Answered = JSON.parse(await client.post("/api/analyze", { text, tier }));
      expect(sentiment?.cache === "CACHE_TIER_MEMORY", "not from memory");
    },
    async analyzeBatch(texts) {
      const answer = JSON.parse(await client.post("/api/analyze/batch", { texts, tier }));
      const answered = answer.results.filter(({ sentiment }: Answered) => sentiment);
      expect(answered.length === texts.length, "a text was not answered");
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
