/**
 * What the server's own work is measured against: nice-grpc alone, which answers each Analyze with the same reply. Prints the address as the
 * server does.
 */
import { createServer } from "nice-grpc";
import {
  type AnalyzeResponse,
  CacheTier,
  Label,
  SentimentServiceDefinition,
  type SentimentServiceImplementation,
  Tier,
} from "../server/gen/sentiment/v1/sentiment.js";

/** As the server answers from memory. */
const REPLY: AnalyzeResponse = {
  sentiment: {
    label: Label.LABEL_POSITIVE,
    score: 0.87,
    confidence: 0.91,
    probabilities: { negative: 0.04, neutral: 0.05, positive: 0.91 },
    tier: Tier.TIER_BALANCED,
    model: "sentiment_balanced",
    modelVersion: "1+embedded.3fa9c2d1",
    cache: CacheTier.CACHE_TIER_MEMORY,
    tokenCount: 18,
    analyzedTokenCount: 18,
    sentences: [],
    attributions: [],
    mixed: false,
  },
  timing: {
    tokenize: { seconds: 0, nanos: 0 },
    queue: { seconds: 0, nanos: 0 },
    inference: { seconds: 0, nanos: 0 },
    total: { seconds: 0, nanos: 120_000 },
    batchSize: 0,
    paddingRatio: 0,
  },
};

const unused = async (): Promise<never> => {
  throw new Error("only Analyze is echoed");
};
const service: SentimentServiceImplementation = {
  analyze: async () => REPLY,
  analyzeBatch: unused,
  // biome-ignore lint/correctness/useYield: it never answers.
  async *analyzeStream() {
    await unused();
  },
  listModels: unused,
};
const server = createServer();
server.add(SentimentServiceDefinition, service);
const port = await server.listen("127.0.0.1:0");
process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${port}` })}\n`);
process.once("SIGTERM", () => void server.shutdown());
