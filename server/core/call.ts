import { type Caller, limitedCaller, type Signal } from "./abort.js";
import type { Clock } from "./clock.js";
import type { Tier } from "./tiers.js";
import type { Span } from "./trace.js";

/** What models read for a call is charged to it. */
export interface Charge {
  /** So many tokens, special ones among them; maybe also when the call is over. Must not throw. */
  read(tier: Tier, tokens: number): void;
}

/** Where work comes from: the same for all that is done for one call, be it one of a million texts of a stream. */
export interface Origin {
  /** W3C trace context that came with it; passed on as it is where the call is not traced here. */
  readonly traceparent?: string | undefined;
  /** What tracing systems add to it; of a call that is traced here its span has it. */
  readonly tracestate?: string | undefined;
  /** Whose key it came with. Without keys: the address that it came from where quotas are kept by it, else undefined. */
  readonly holder?: string | undefined;
  /** What the key allows its holder now: a stream may see it change. Undefined, also of it: what all may take. */
  readonly allowed?: { readonly tokensPerMinute?: number | undefined } | undefined;
  /** It has many texts, a list or a stream: nobody waits for one of them alone. */
  readonly isBulk?: boolean | undefined;
  /** Nobody waits for the answer (it is for the caches, or a copy for a candidate): it is no traffic, and is counted nowhere as such. */
  readonly isUnasked?: true;
}

/**
 * A call, or a part of it, that work is done for: handed to whoever works for it, as Go's context is, so that a function says what it goes by. (An AsyncLocalStorage
 * costs no more since Node 24, and before a hook for each promise of the process.)
 */
export interface Call extends Caller {
  /** When its caller gives up, on the server's clock in milliseconds; Infinity where it does not say. */
  readonly deadlineMs: number;
  readonly origin: Origin;
  /** Steps are begun in it; undefined where the call is not traced. */
  readonly span?: Span | undefined;
  /** undefined: what it costs is nobody's business. */
  readonly charge?: Charge | undefined;
}

/** Whose even part of what is shared the call takes; "" for all that come without keys. */
export const holderOf = ({ origin }: Call): string => origin.holder ?? "";

/** The same, until that signal fires. */
export const withSignal = ({ deadlineMs, origin, span, charge }: Call, signal: Signal): Call => ({
  signal,
  deadlineMs,
  origin,
  span,
  charge,
});

/** The same, as a trace of its own. */
export const withSpan = (
  { signal, deadlineMs, origin, charge }: Call,
  span: Span | undefined,
): Call => ({ signal, deadlineMs, origin, span, charge });

/** On nobody's behalf: in no trace, and free of charge. What it takes is a part of what `holder` may have; undefined: nobody's. */
export const unasked = (signal: Signal, holder?: string): Call => ({
  signal,
  deadlineMs: Number.POSITIVE_INFINITY,
  origin: { holder, isUnasked: true },
});

/** A call as far as `limitMs` allow. Throws the signal's reason where it has fired. To be disposed of when it is over; not to be spread: its signal is made when it is asked for. */
export class LimitedCall implements Call, Disposable {
  readonly deadlineMs: number;
  readonly origin: Origin;
  readonly span: Span | undefined;
  /** Set before work is done for it. */
  charge: Charge | undefined;
  readonly #caller: Caller & Disposable;

  /** `late`: makes the reason for which it ends by its own limit. */
  constructor(call: Call, limitMs: number, clock: Clock, late: () => Error) {
    this.deadlineMs = Math.min(call.deadlineMs, clock.now() + limitMs);
    this.origin = call.origin;
    this.span = call.span;
    this.charge = call.charge;
    this.#caller = limitedCaller(call.signal, limitMs, clock, late);
  }

  get signal(): Signal {
    return this.#caller.signal;
  }

  [Symbol.dispose](): void {
    this.#caller[Symbol.dispose]();
  }
}
