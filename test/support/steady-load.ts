import { setTimeout as sleep } from "node:timers/promises";
import { Metadata } from "nice-grpc-common";
import type {
  AnalyzeResponse,
  CacheTier,
  SentimentServiceClient,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { type Failure, outcomeOf } from "./status-details.js";

/** One call of a load: how it went. */
export interface LoadedCall {
  /** Since the load began, when the call was sent and when it was over. */
  readonly sentMs: number;
  readonly tookMs: number;
  readonly text: string;
  /** undefined: it failed. */
  readonly score: number | undefined;
  readonly modelVersion: string;
  /** Where the answer was found. */
  readonly cache: CacheTier | undefined;
  readonly failure: Failure | undefined;
}

export interface Load {
  readonly client: SentimentServiceClient;
  readonly tier: Tier;
  /** Asked one after the other, over and over. */
  readonly texts: readonly string[];
  readonly callsPerSecond: number;
  readonly seconds: number;
  readonly metadata?: Metadata;
  /** What the client waits for an answer; unset: as long as it takes. */
  readonly limitMs?: number;
}

/** Sends calls at a set rate, however long answers take, and resolves with all of them once the last is over. */
export function steadyLoad(load: Load): Promise<readonly LoadedCall[]> {
  const { texts } = load;
  const startedMs = performance.now();
  return atRate(load, (place) => oneCall(load, texts[place % texts.length] ?? "", startedMs));
}

/** Does `send` at a set rate, with the place of each, however long it takes; resolves with what came of all. */
export async function atRate<Result>(
  { callsPerSecond, seconds }: Pick<Load, "callsPerSecond" | "seconds">,
  send: (place: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const startedMs = performance.now();
  const calls: Promise<Result>[] = [];
  const count = Math.round(callsPerSecond * seconds);
  while (calls.length < count) {
    const due = ((performance.now() - startedMs) / 1000) * callsPerSecond;
    while (calls.length < Math.min(due, count)) calls.push(send(calls.length));
    await sleep(1);
  }
  return Promise.all(calls);
}

async function oneCall(
  { client, tier, limitMs, metadata = Metadata() }: Load,
  text: string,
  startedMs: number,
): Promise<LoadedCall> {
  const sentMs = performance.now() - startedMs;
  const request = { text, tier, options: undefined };
  const limit = limitMs === undefined ? {} : { signal: AbortSignal.timeout(limitMs) };
  const outcome = await outcomeOf<AnalyzeResponse>((options) =>
    client.analyze(request, { ...options, ...limit, metadata }),
  );
  const tookMs = performance.now() - startedMs - sentMs;
  if ("failure" in outcome)
    return {
      sentMs,
      tookMs,
      text,
      score: undefined,
      modelVersion: "",
      cache: undefined,
      ...outcome,
    };
  const { score, cache, modelVersion = "" } = outcome.answer.sentiment ?? {};
  return { sentMs, tookMs, text, score, modelVersion, cache, failure: undefined };
}

/** The value below which that share of the calls lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Calls whose score is not that of `truth`, by over 0.01; those that failed are not among them. */
export const wrongOf = (calls: readonly LoadedCall[], truth: ReadonlyMap<string, number>) =>
  calls.filter(
    ({ text, score }) =>
      score !== undefined && !(Math.abs(score - (truth.get(text) ?? Number.NaN)) <= 0.01),
  );
