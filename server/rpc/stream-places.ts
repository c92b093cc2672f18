import type { CallContext, ServerMiddlewareCall } from "nice-grpc-common";
import { Disposer } from "../core/disposer.js";
import { ServiceError } from "../core/errors.js";
import { EvenParts } from "../core/even-parts.js";
import type { CallExt } from "./call-context.js";

/** Of MAX_STREAMS, what one holder of a key may have of them while others have less. */
const SHARE = 0.9;
const RETRY_MS = 1000;

/** Who has the streams of requests: the last tenth of them is for holders who have less than an even part, so that nobody can take all. */
export class StreamPlaces {
  readonly #parts: EvenParts<string>;
  readonly #refused: () => void;

  /** `refused` is told of each that was not let in. */
  constructor(maxStreams: number, refused: () => void) {
    this.#parts = new EvenParts(SHARE * maxStreams);
    this.#refused = refused;
  }

  /** One of them, until it is disposed of; undefined for whoever has no key. Throws OVERLOADED. */
  take(holder: string | undefined): Disposable | undefined {
    if (holder === undefined) return undefined;
    const parts = this.#parts;
    if (parts.fits(holder, 1)) {
      parts.add(holder, 1);
      return new Disposer(() => parts.add(holder, -1));
    }
    this.#refused();
    const message =
      "Most streams are open, and this key has its part of them: end some, try again later, or send the texts by AnalyzeBatch.";
    throw new ServiceError("OVERLOADED", message, { retryAfterMs: RETRY_MS });
  }

  /** The same for a call, as middleware. */
  async *during<Req, Res>(
    call: ServerMiddlewareCall<Req, Res, CallExt>,
    context: CallContext & CallExt,
  ): AsyncGenerator<Res, Res | void, undefined> {
    using _place = this.take(context.call.origin.holder);
    return yield* call.next(call.request, context);
  }
}
