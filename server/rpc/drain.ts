import { setMaxListeners } from "node:events";
import { AbortError } from "abort-controller-x";
import type { CallContext, ServerMiddlewareCall } from "nice-grpc-common";
import { orAbort } from "../core/abort.js";
import { ServiceError } from "../core/errors.js";

const draining = () =>
  new ServiceError("DRAINING", "The server is shutting down: try another one.", {
    retryAfterMs: 1000,
  });

/** What the calls of a server do once it drains: first it only says so, and serves as before, until who sends it calls has noticed. */
export interface Drain {
  /** From now on calls should go elsewhere. */
  announce(): void;
  readonly announced: boolean;
  /** No new calls come any more: ends those that would not end by themselves. */
  begin(): void;
  /** A stream of requests is read no further once it has begun; what was read of it is answered. `place`: what the stream has until it is over. */
  cutShort<Req, Res>(
    requests: AsyncIterable<Req>,
    answer: (requests: AsyncIterable<Req>) => AsyncIterable<Res>,
    place?: Disposable,
  ): AsyncGenerator<Res, void, undefined>;
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

/** The items up to the signal. */
async function* until<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  const ended = { done: true, value: undefined } as const;
  while (!signal.aborted) {
    const next = await orAbort(iterator.next(), signal, () => {}).catch((error: unknown) => {
      if (signal.aborted) return ended;
      throw error;
    });
    if (next.done) return;
    yield next.value;
  }
}

export function createDrain(): Drain {
  let announced = false;
  const begun = new AbortController();
  // One listener an open stream.
  setMaxListeners(0, begun.signal);
  return {
    announce: () => {
      announced = true;
    },
    get announced() {
      return announced;
    },
    begin: () => begun.abort(),

    async *cutShort(requests, answer, place) {
      using _place = place;
      yield* answer(until(requests, begun.signal));
      if (begun.signal.aborted) throw draining();
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
