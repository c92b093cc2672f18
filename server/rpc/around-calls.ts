import { isAbortError } from "abort-controller-x";
import {
  type CallContext,
  type Metadata,
  ServerError,
  type ServerMiddlewareCall,
} from "nice-grpc-common";
import { currentCall } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError, withoutStack } from "../core/errors.js";
import type { Span, Tracer } from "../core/trace.js";
import { Status } from "../gen/google/rpc/status.js";
import { callOf } from "./call-context.js";
import { type ReportBug, statusOf } from "./status.js";

/** Where google.rpc.Status travels, by gRPC's convention. */
const DETAILS = "grpc-status-details-bin";
/** What gRPC's own retries wait for, in milliseconds (gRFC A6): the same as RetryInfo says to people's. */
const PUSHBACK = "grpc-retry-pushback-ms";

/**
 * Throws a ServiceError for a call that is not let in. `path` is its method's, as in "/sentiment.v1.SentimentService/Analyze". Returns whose key it came
 * with, where that is what it looks at.
 */
export type Check = (metadata: Metadata, path: string) => string | undefined;

export interface AroundParts {
  readonly clock: Clock;
  readonly reportBug: ReportBug;
  /** undefined: no call is traced. */
  readonly tracer: Tracer | undefined;
}

/**
 * What happens around every call: it is checked, runs as `currentCall`, and what it throws becomes a gRPC status with details. One middleware for all of
 * it, since each further one is two more generators that a call passes through.
 */
export const aroundCalls = (
  { clock, reportBug, tracer }: AroundParts,
  ...checks: readonly Check[]
) =>
  async function* around<Req, Res>(
    call: ServerMiddlewareCall<Req, Res>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined> {
    const { path } = call.method;
    const called = callOf(context.metadata, path, clock, tracer);
    const { span } = called;
    try {
      const store = { ...called, holder: holderOf(checks, context.metadata, path, span) };
      const steps = call.next(call.request, context);
      // A generator's body runs in the context of whoever takes its next step.
      const next = () => currentCall.run(store, () => steps.next());
      let step = await next();
      try {
        while (!step.done) {
          yield step.value;
          step = await next();
        }
        return step.value;
      } finally {
        // Undefined stands for "no further response" of a stream; a unary call has none left either.
        if (!step.done) await currentCall.run(store, () => steps.return(undefined as never));
      }
    } catch (error) {
      span?.failed(error);
      throw statusErrorOf(error, context, reportBug);
    } finally {
      span?.end();
    }
  };

function holderOf(
  checks: readonly Check[],
  metadata: Metadata,
  path: string,
  span: Span | undefined,
): string | undefined {
  const step = span?.step("authenticate");
  let holder: string | undefined;
  for (const check of checks) holder = check(metadata, path) ?? holder;
  step?.end();
  return holder;
}

function statusErrorOf(error: unknown, context: CallContext, reportBug: ReportBug): unknown {
  // The client has left: there is nobody to read a status. A ServerError is a library's: health's NOT_FOUND.
  if (error instanceof ServerError || (isAbortError(error) && context.signal.aborted)) return error;
  const status = statusOf(error, reportBug);
  const retryAfterMs = error instanceof ServiceError ? error.hints.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) context.trailer.set(PUSHBACK, String(Math.ceil(retryAfterMs)));
  context.trailer.set(DETAILS, Status.encode(status).finish());
  return withoutStack(() => new ServerError(status.code, status.message));
}
