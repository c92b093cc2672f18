import type { Metadata } from "nice-grpc";
import { type SentimentServiceClient, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { type Failure, failureOf } from "./status-details.js";

export interface WaitingStream {
  /** Texts that have been answered. */
  readonly answered: number;
  readonly failure: Promise<Failure>;
  /** Undefined while it is open. */
  readonly failed: Failure | undefined;
}

/** An AnalyzeStream that sends one text, and then keeps open until the server ends it. */
export function waitingStream(client: SentimentServiceClient, metadata: Metadata): WaitingStream {
  let answered = 0;
  let failed: Failure | undefined;
  async function* requests() {
    yield { id: "1", text: "fine", tier: Tier.TIER_FAST, options: undefined };
    await new Promise(() => {});
  }
  const failure = failureOf(async (options) => {
    for await (const _ of client.analyzeStream(requests(), { metadata, ...options })) answered++;
  }).then((told) => {
    failed = told;
    return told;
  });
  return {
    get answered() {
      return answered;
    },
    get failed() {
      return failed;
    },
    failure,
  };
}
