import type { CascadeEvents } from "../classify/events.js";
import type { Label } from "../core/tiers.js";
import type { FailedText } from "./text-outcome.js";

/** What happens to the calls of one method; for metrics. Must not throw. */
interface MethodEvents {
  began(): void;
  /** Once for each that began. `code`: the name of its gRPC code. `traceId` of one that is traced. */
  ended(code: string, tookMs: number, traceId?: string): void;
}

/** What happens to calls; for metrics. */
export interface RequestEvents {
  /** To be asked for once. `path` as in "/sentiment.v1.SentimentService/Analyze". */
  method(path: string, isStream: boolean): MethodEvents;
}

/** Methods whose texts are counted. */
type TextMethod = "Analyze" | "AnalyzeBatch" | "AnalyzeStream" | "ModelInfer";

/** What of an answer is counted. */
interface Answered {
  readonly model: { readonly name: string };
  readonly label: Label;
  readonly confidence: number;
}

/** What becomes of the texts of calls that were let in, each told of once; for metrics. Must not throw. */
interface TextEvents {
  answered(method: TextMethod, answer: Answered): void;
  failed(method: TextMethod, outcome: FailedText, texts: number): void;
}

/** All that the services tell of. */
export interface ServiceEvents extends RequestEvents, TextEvents, CascadeEvents {
  /** So many texts were answered by fast in place of the model that was asked for. */
  shed(reason: "brown_out", texts: number): void;
}

/** What happens to connections; for metrics. Must not throw. */
export interface ConnectionEvents {
  opened(): void;
  closed(): void;
  /** There were as many as are allowed. */
  refused(): void;
}

/** Why a call was ended for its client: too much metadata, too many streams, requests that take too much memory together, one that did not arrive in time, nothing sent for long, or no answer taken for long. */
export type CutReason =
  | "large_metadata"
  | "too_many_streams"
  | "large_requests"
  | "slow_request"
  | "silent_stream"
  | "stopped_reader";

/** What is told of connections, and of calls that no service is told of. */
export interface TransportEvents extends ConnectionEvents {
  cut(why: CutReason): void;
}
