import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { type CallContext, createServer, ServerError } from "nice-grpc";
import { type Reason, ServiceError } from "../../server/core/errors.js";
import { Status } from "../../server/gen/google/rpc/status.js";
import {
  type AnalyzeResult,
  CacheTier,
  Label,
  type Sentiment,
  SentimentServiceDefinition,
  type SentimentServiceImplementation,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { statusOf } from "../../server/rpc/status.js";

export interface ScriptedService extends AsyncDisposable {
  readonly address: string;
  /** Of each call so far: when it has to be over, in milliseconds of Date.now(). */
  readonly deadlines: readonly number[];
}

const unscripted = () => {
  throw new Error("not scripted");
};

/** A server of the API that says what it is told to, for what a real one says only in rare moments. */
export async function scriptedService(
  script: Partial<SentimentServiceImplementation>,
): Promise<ScriptedService> {
  const deadlines: number[] = [];
  const seeDeadline: ServerInterceptor = (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            deadlines.push(Number(call.getDeadline()));
            pass(metadata);
          },
        }),
    });
  const server = createServer({ interceptors: [seeDeadline] });
  const rest = { analyze: unscripted, analyzeBatch: unscripted, listModels: unscripted };
  server.add(SentimentServiceDefinition, {
    ...rest,
    // biome-ignore lint/correctness/useYield: it has nothing to say.
    async *analyzeStream() {
      unscripted();
    },
    ...script,
  });
  const port = await server.listen("127.0.0.1:0");
  return {
    address: `127.0.0.1:${port}`,
    deadlines,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

/** As the real server says it of a text. */
export const refusalOf = (reason: Reason, retryAfterMs?: number): Status =>
  statusOf(
    new ServiceError(
      reason,
      `refused: ${reason}`,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    ),
    () => {},
    undefined,
  );

/** As the real server says it of a call. */
export function refuse(context: CallContext, reason: Reason, retryAfterMs?: number): never {
  const status = refusalOf(reason, retryAfterMs);
  context.trailer.set("grpc-status-details-bin", Status.encode(status).finish());
  if (retryAfterMs !== undefined)
    context.trailer.set("grpc-retry-pushback-ms", String(retryAfterMs));
  throw new ServerError(status.code, status.message);
}

/** Positive, and its model is the text. */
export const verdictOn = (text: string): Sentiment => ({
  label: Label.LABEL_POSITIVE,
  score: 0.5,
  confidence: 0.75,
  probabilities: { negative: 0.25, neutral: 0, positive: 0.75 },
  tier: Tier.TIER_FAST,
  model: text,
  modelVersion: "1",
  cache: CacheTier.CACHE_TIER_NONE,
  tokenCount: 1,
  analyzedTokenCount: 1,
  sentences: [],
  attributions: [],
  mixed: false,
});

export const answered = (texts: readonly string[]): { results: AnalyzeResult[] } => ({
  results: texts.map((text, index) => ({ index, sentiment: verdictOn(text), error: undefined })),
});
