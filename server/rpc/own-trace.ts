import { type Call, withSpan } from "../core/call.js";
import { type Tracer, within } from "../core/trace.js";
import { SentimentServiceDefinition } from "../gen/sentiment/v1/sentiment.js";

/** Its span's name. */
const STREAMED_TEXT = `${SentimentServiceDefinition.fullName}/AnalyzeStream text`;

/** A stream may have a million texts: each is a trace of its own, sampled by itself, and linked to the stream's; none is where the client says so. It is still a part of the stream's call. */
export function inOwnTrace<T>(
  tracer: Tracer | undefined,
  call: Call,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return work(call);
  const isLeftOut = call.origin.traceparent !== undefined && call.span === undefined;
  if (isLeftOut) return work(call);
  const links = call.span && [call.span];
  const span = tracer.begin(STREAMED_TEXT, undefined, undefined, links);
  return within(span, () => work(withSpan(call, span)));
}
