import { AbortError } from "abort-controller-x";
import type { CallContext, ServerMiddlewareCall } from "nice-grpc-common";
import { ServiceError } from "../core/errors.js";

const draining = () =>
  new ServiceError("DRAINING", "The server is shutting down: try another one.", {
    retryAfterMs: 1000,
  });

/** What the calls of a server do once it drains. */
export interface Drain {
  begin(): void;
  /** Refuses new calls; those under way go on. */
  refuse<Req, Res>(
    call: ServerMiddlewareCall<Req, Res>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined>;
  /** Ends calls that would never end by themselves (a health watch), so that the server can. */
  end<Req, Res>(
    call: ServerMiddlewareCall<Req, Res>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined>;
}

/** Aborts when the first of `signals` does, until it is closed. */
function eitherOf(...signals: readonly AbortSignal[]) {
  const either = new AbortController();
  const abort = () => either.abort(new AbortError());
  for (const signal of signals) {
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
  }
  const close = () => {
    for (const signal of signals) signal.removeEventListener("abort", abort);
  };
  return { signal: either.signal, close };
}

export function createDrain(): Drain {
  const begun = new AbortController();
  return {
    begin: () => begun.abort(),

    async *refuse(call, context) {
      if (begun.signal.aborted) throw draining();
      return yield* call.next(call.request, context);
    },

    async *end(call, context) {
      if (!call.responseStream) return yield* call.next(call.request, context);
      const ending = eitherOf(begun.signal, context.signal);
      try {
        return yield* call.next(call.request, { ...context, signal: ending.signal });
      } catch (error) {
        throw begun.signal.aborted ? draining() : error;
      } finally {
        ending.close();
      }
    },
  };
}
