import type { CallContext, ServerMiddlewareCall } from "nice-grpc-common";
import { eitherOf, Leaving, onAbort, type Signal } from "../core/abort.js";
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
  /** A stream's requests until it begins; then it throws DRAINING, so that what was read of them is answered, and no more is read. */
  until<Req>(requests: AsyncIterable<Req>): AsyncIterable<Req>;
  /** Ends calls that would never end by themselves (a health watch), so that the server can. */
  end<Req, Res>(
    call: ServerMiddlewareCall<Req, Res>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined>;
}

/** No generator, and one listener for all items: each text of a stream passes here. */
class CutShort<Item> implements AsyncIterator<Item, unknown> {
  #cut = () => {};
  readonly #items: AsyncIterator<Item, unknown>;
  readonly #begun: Signal;
  readonly #end: () => void;

  constructor(items: AsyncIterator<Item, unknown>, begun: Signal) {
    this.#items = items;
    this.#begun = begun;
    this.#end = onAbort(begun, () => this.#cut());
  }

  next(): Promise<IteratorResult<Item, unknown>> {
    return new Promise((resolve, reject) => {
      this.#cut = () => reject(draining());
      if (this.#begun.aborted) return this.#cut();
      this.#items.next().then(
        (item) => {
          if (item.done) this.#end();
          resolve(item);
        },
        (error: unknown) => {
          this.#end();
          reject(error);
        },
      );
    });
  }

  async return(): Promise<IteratorResult<Item, unknown>> {
    this.#end();
    return { done: true, value: undefined };
  }
}

export function createDrain(): Drain {
  let announced = false;
  const begun = new Leaving();
  return {
    announce: () => {
      announced = true;
    },
    get announced() {
      return announced;
    },
    begin: () => begun.abort(draining()),

    until: (requests) => ({
      [Symbol.asyncIterator]: () => new CutShort(requests[Symbol.asyncIterator](), begun),
    }),

    async *end(call, context) {
      if (!call.responseStream) return yield* call.next(call.request, context);
      using ending = eitherOf(begun, context.signal);
      try {
        // Those whose streams it ends, health and reflection, know no other signal.
        return yield* call.next(call.request, { ...context, signal: ending.signal });
      } catch (error) {
        throw begun.aborted ? draining() : error;
      }
    },
  };
}
