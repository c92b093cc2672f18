import { isAbortError } from "abort-controller-x";
import {
  type CallContext,
  ServerError,
  type ServerMiddlewareCall,
  Status as StatusCode,
} from "nice-grpc-common";
import { type Call, currentCall } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError, withoutStack } from "../core/errors.js";
import { FAULT_CODES } from "../core/fault-codes.js";
import { remembered } from "../core/remembered.js";
import { errorTypeOf, type Span, type Tracer } from "../core/trace.js";
import { Status } from "../gen/google/rpc/status.js";
import { currentArrival } from "./arrival.js";
import { callOf, whyLeft } from "./call-context.js";
import type { Caller, Decision } from "./entrance.js";
import type { RequestEvents } from "./events.js";
import { type ReportBug, sayable, statusOf } from "./status.js";
import { whileCurrent } from "./while-current.js";

/** Where google.rpc.Status travels, by gRPC's convention. */
export const DETAILS = "grpc-status-details-bin";
/** What gRPC's own retries wait for, in milliseconds (gRFC A6): the same as RetryInfo says to people's. */
const PUSHBACK = "grpc-retry-pushback-ms";

type Method = ServerMiddlewareCall<unknown, unknown>["method"];

/** A call that is over. `request` holds what the caller sent. */
export type EndedCall = Pick<
  ServerMiddlewareCall<unknown, unknown>,
  "method" | "request" | "responseStream"
>;

/** Told once of each call, with what it brought, its gRPC code's name and what it took; `answers`: messages of a stream. Must not throw. */
export type Ended = (
  call: EndedCall,
  brought: Call,
  code: string,
  ms: number,
  answers: number,
) => void;

export interface AroundParts {
  readonly clock: Clock;
  readonly reportBug: ReportBug;
  /** undefined: no call is traced. */
  readonly tracer: Tracer | undefined;
  readonly events: RequestEvents;
  /** For the log. */
  readonly ended: Ended;
}

/**
 * What happens around every call: it is let in (`isForAll`: whoever calls), runs as `currentCall`, what it throws becomes a gRPC status with details, and its end is told of. One
 * middleware for all of it, since each further one is two more generators that a call passes through.
 */
export function aroundCalls(
  { clock, reportBug, tracer, events: requestEvents, ended }: AroundParts,
  isForAll = false,
) {
  // By nice-grpc's one description of each method: those of the services, so they are few.
  const eventsOf = remembered(({ path, requestStream, responseStream }: Method) =>
    requestEvents.method(path, requestStream || responseStream),
  );
  return async function* around<Req, Res>(
    call: ServerMiddlewareCall<Req, Res>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined> {
    const events = eventsOf(call.method);
    const startedMs = clock.now();
    const { deadlineMs, decision, cut } = currentArrival();
    const brought = callOf(context.metadata, deadlineMs, call.method.path, tracer);
    const { span } = brought;
    // What a stream ends with whose reader takes no more of it.
    let code = "CANCELLED";
    let answers = 0;
    let failure: unknown;
    events.began();
    try {
      const holder = isForAll ? undefined : entered(decision, span);
      const store = { ...brought, holder: holder?.name, allowed: holder };
      const steps = stepsOf(call, context, holder, clock, cut);
      // A generator's body runs in the context of whoever takes its next step.
      const next = () => currentCall.run(store, () => steps.next());
      let step = await next();
      try {
        while (!step.done) {
          answers++;
          yield step.value;
          step = await next();
        }
        code = "OK";
        return step.value;
      } finally {
        // Undefined stands for "no further response" of a stream; a unary call has none left either.
        if (!step.done) await currentCall.run(store, () => steps.return(undefined as never));
      }
    } catch (error) {
      failure = error;
      // For the trace of what is reported.
      const thrown = currentCall.run(brought, () => statusErrorOf(error, context, reportBug));
      code = codeOf(thrown);
      throw thrown;
    } finally {
      const told = toldBy(code, context, brought, clock);
      const tookMs = clock.now() - startedMs;
      events.ended(told, tookMs, span?.traceId);
      ended(call, brought, told, tookMs, answers);
      endSpan(brought, call, told, failure);
    }
  };
}

/** Whatever became of a call: what gRPC has told its client. */
const toldBy = (code: string, { signal }: CallContext, { deadlineMs }: Call, clock: Clock) =>
  signal.aborted ? whyLeft(deadlineMs, clock) : code;

/** As OpenTelemetry's conventions for gRPC have it: what the caller did wrong is no error of the server's. */
function endSpan({ span }: Call, { method }: EndedCall, code: string, error: unknown): void {
  if (span === undefined) return;
  const [, service = "", name = ""] = method.path.split("/");
  span.set({
    "rpc.system": "grpc",
    "rpc.service": service,
    "rpc.method": name,
    "rpc.grpc.status_code": Number(StatusCode[code as keyof typeof StatusCode]),
  });
  if (FAULT_CODES.has(code)) span.failed(error);
  else if (error !== undefined) span.set({ "error.type": errorTypeOf(error) });
  span.end();
}

/** Who is behind the call. Throws why it is not let in. */
function entered(decision: Decision, span: Span | undefined): Caller | undefined {
  const step = span?.step("authenticate");
  if (!decision.isLetIn) step?.failed(decision.error);
  step?.end();
  if (decision.isLetIn) return decision.holder;
  throw decision.error;
}

/** A stream may outlast the key that it began with. */
function stepsOf<Req, Res>(
  call: ServerMiddlewareCall<Req, Res>,
  context: CallContext,
  holder: Caller | undefined,
  clock: Clock,
  cut: () => void,
): AsyncGenerator<Res, Res | void, undefined> {
  const steps: AsyncGenerator<Res, Res | void, undefined> = call.next(call.request, context);
  const isStream = call.requestStream || call.responseStream;
  return isStream && holder?.isCurrent ? whileCurrent(steps, holder.isCurrent, clock, cut) : steps;
}

/** Of what nice-grpc is thrown. */
function codeOf(error: unknown): string {
  if (isAbortError(error)) return "CANCELLED";
  return (error instanceof ServerError && StatusCode[error.code]) || "UNKNOWN";
}

function statusErrorOf(error: unknown, context: CallContext, reportBug: ReportBug): unknown {
  // The client has left: there is nobody to read a status.
  if (isAbortError(error) && context.signal.aborted) return error;
  // A library's: health's NOT_FOUND, which quotes whatever the caller has sent.
  if (error instanceof ServerError)
    return withoutStack(() => new ServerError(error.code, sayable(error.details)));
  const status = statusOf(error, reportBug);
  const retryAfterMs = error instanceof ServiceError ? error.hints.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) context.trailer.set(PUSHBACK, String(Math.ceil(retryAfterMs)));
  context.trailer.set(DETAILS, Status.encode(status).finish());
  return withoutStack(() => new ServerError(status.code, status.message));
}
