import type { Signal } from "../core/abort.js";
import type { Call } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import type { Tracer } from "../core/trace.js";
import { SentimentServiceDefinition } from "../gen/sentiment/v1/sentiment.js";
import type { Arrival } from "./arrival.js";
import type { Caller, Shown } from "./entrance.js";

/** Ids of zeros are none. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const { fullName, methods } = SentimentServiceDefinition;
const LISTS = `/${fullName}/${methods.analyzeBatch.name}`;

/** Of a tracestate: what the standard wants passed on at least. A longer one is left out whole. */
const MAX_STATE_LENGTH = 512;

/** A client gives up by its own clock, which is ahead of the server's by the time that the call took to get here. */
const EARLY_MS = 100;

/** Why nobody waits for a call any more whose signal has fired, as gRPC's code: past its deadline the client did not choose to leave. */
export const whyLeft = (deadlineMs: number, clock: Clock): "DEADLINE_EXCEEDED" | "CANCELLED" =>
  clock.now() >= deadlineMs - EARLY_MS ? "DEADLINE_EXCEEDED" : "CANCELLED";

/** What services are handed with each call, beside what nice-grpc has. */
export interface CallExt {
  readonly call: Call;
}

/** The call that has arrived so, of `holder`. Its span goes on with the caller's trace. */
export function callOf(
  { deadlineMs, metadata }: Pick<Arrival, "deadlineMs" | "metadata">,
  holder: Caller | undefined,
  signal: Signal,
  { path, requestStream }: { readonly path: string; readonly requestStream: boolean },
  tracer: Tracer | undefined,
): Call {
  const sent = metadata.get("traceparent");
  const traceparent = sent && TRACEPARENT.test(sent) ? sent : undefined;
  // It means nothing without a trace to belong to.
  const tracestate = traceparent && stateIn(metadata);
  return {
    signal,
    deadlineMs,
    origin: {
      traceparent,
      tracestate,
      holder: holder?.name,
      allowed: holder,
      isBulk: requestStream || path === LISTS,
    },
    span: tracer?.begin(path.slice(1), traceparent, tracestate),
  };
}

function stateIn(metadata: Shown): string | undefined {
  const state = metadata.get("tracestate");
  return state !== undefined && state.length <= MAX_STATE_LENGTH ? state : undefined;
}
