import { isAbortError } from "abort-controller-x";
import {
  type CallContext,
  ServerError,
  type ServerMiddlewareCall,
  Status as StatusCode,
} from "nice-grpc-common";
import type { Call } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { FAULT_CODES } from "../core/fault-codes.js";
import { remembered } from "../core/remembered.js";
import { errorTypeOf, type Tracer } from "../core/trace.js";
import { arrivalIn } from "./arrival.js";
import { type CallExt, callOf, whyLeft } from "./call-context.js";
import type { Caller, Decision } from "./entrance.js";
import type { RequestEvents } from "./events.js";
import { type ReportBug, sayable, statusBytes, statusOf } from "./status.js";
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

/** Told once of each call, with its gRPC code's name and what it took; `answers`: messages of a stream. Must not throw. */
export type Ended = (
  ended: EndedCall,
  call: Call,
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
 * What happens around every call: it is let in (`isForAll`: whoever calls), its service gets the `call` that all work is done for, what it throws becomes a gRPC status with details, and its end is told of. One
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
    asked: ServerMiddlewareCall<Req, Res, CallExt>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined> {
    const { method } = asked;
    const events = eventsOf(method);
    const startedMs = clock.now();
    const arrival = arrivalIn(context.metadata);
    const decision = isForAll ? undefined : arrival.decision;
    const holder = holderIn(decision);
    const call = callOf(arrival, holder, context.signal, method, tracer);
    // What a stream ends with whose reader takes no more of it.
    let code = "CANCELLED";
    let answers = 0;
    let failure: unknown;
    events.began();
    try {
      enter(decision, call);
      const steps = stepsOf(asked, { ...context, call }, holder, clock, arrival.cut);
      let step = await steps.next();
      try {
        while (!step.done) {
          answers++;
          yield step.value;
          step = await steps.next();
        }
        code = "OK";
        return step.value;
      } finally {
        // Undefined stands for "no further response" of a stream; a unary call has none left either.
        if (!step.done) await steps.return(undefined as never);
      }
    } catch (error) {
      failure = error;
      const thrown = statusErrorOf(error, context, call, reportBug);
      code = codeOf(thrown);
      throw thrown;
    } finally {
      const told = toldBy(code, call, clock);
      const tookMs = clock.now() - startedMs;
      events.ended(told, tookMs, call.span?.traceId);
      ended(asked, call, told, tookMs, answers);
      endSpan(call, method, told, failure);
    }
  };
}

/** Whatever became of a call: what gRPC has told its client. */
const toldBy = (code: string, { signal, deadlineMs }: Call, clock: Clock) =>
  signal.aborted ? whyLeft(deadlineMs, clock) : code;

/** As OpenTelemetry's conventions for gRPC have it: what the caller did wrong is no error of the server's. */
function endSpan({ span }: Call, { path }: Method, code: string, error: unknown): void {
  if (span === undefined) return;
  const [, service = "", name = ""] = path.split("/");
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

const holderIn = (decision: Decision | undefined): Caller | undefined =>
  decision?.isLetIn ? decision.holder : undefined;

/** Throws why the call is not let in. */
function enter(decision: Decision | undefined, { span }: Call): void {
  if (decision === undefined) return;
  const step = span?.step("authenticate");
  if (!decision.isLetIn) step?.failed(decision.error);
  step?.end();
  if (!decision.isLetIn) throw decision.error;
}

/** A stream may outlast the key that it began with. */
function stepsOf<Req, Res>(
  asked: ServerMiddlewareCall<Req, Res, CallExt>,
  context: CallContext & CallExt,
  holder: Caller | undefined,
  clock: Clock,
  cut: () => void,
): AsyncGenerator<Res, Res | void, undefined> {
  const steps: AsyncGenerator<Res, Res | void, undefined> = asked.next(asked.request, context);
  const isStream = asked.requestStream || asked.responseStream;
  return isStream && holder?.isCurrent ? whileCurrent(steps, holder.isCurrent, clock, cut) : steps;
}

/**
 * What nice-grpc takes for its ServerError, as it takes one of another version of itself: by its mark. An error's message and stack, which nobody would read, are
 * more to make than the rest of a refusal's status.
 */
const toldError = (code: StatusCode, details: string) => ({
  code,
  details,
  "@@nice-grpc:ServerError": true,
});

/** Of what nice-grpc is thrown. */
function codeOf(error: unknown): string {
  if (isAbortError(error)) return "CANCELLED";
  return (error instanceof ServerError && StatusCode[error.code]) || "UNKNOWN";
}

function statusErrorOf(
  error: unknown,
  { trailer }: CallContext,
  call: Call,
  reportBug: ReportBug,
): unknown {
  // The client has left: there is nobody to read a status.
  if (isAbortError(error) && call.signal.aborted) return error;
  // A library's: health's NOT_FOUND, which quotes whatever the caller has sent.
  if (error instanceof ServerError) return toldError(error.code, sayable(error.details));
  const status = statusOf(error, reportBug, call);
  const retryAfterMs = error instanceof ServiceError ? error.hints.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) trailer.set(PUSHBACK, String(Math.ceil(retryAfterMs)));
  trailer.set(DETAILS, statusBytes(status));
  return toldError(status.code, status.message);
}
