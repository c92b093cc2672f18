import { AsyncLocalStorage } from "node:async_hooks";
import type { Tier } from "./tiers.js";
import type { Span } from "./trace.js";

/** What models read for a call is charged to it. */
export interface Charge {
  /** So many tokens, special ones among them; maybe also when the call is over. Must not throw. */
  read(tier: Tier, tokens: number): void;
}

/** What a call brings along for whoever works for it further down. */
export interface Call {
  /** When its caller gives up, on the server's clock in milliseconds. */
  readonly deadlineMs: number;
  /** The call as it came, where this is a part of it (a stream's, for one of its texts). */
  readonly partOf?: Call | undefined;
  /** W3C trace context that came with it; passed on as it is where the call is not traced here. */
  readonly traceparent: string | undefined;
  /** What tracing systems add to it; of a call that is traced here its span has it. */
  readonly tracestate?: string | undefined;
  /** Of the call itself; undefined where it is not traced. */
  readonly span?: Span | undefined;
  /** Whose key it came with. Without keys: the address that it came from where quotas are kept by it, else undefined. */
  readonly holder?: string | undefined;
  /** What the key allows its holder now: a stream may see it change. Undefined, also of it: what all may take. */
  readonly allowed?: { readonly tokensPerMinute?: number | undefined } | undefined;
  /** undefined: what it costs is nobody's business. */
  readonly charge?: Charge | undefined;
  /** Nobody waits for the answer (it is for the caches, or a copy for a candidate): it is no traffic, and is counted nowhere as such. */
  readonly isUnasked?: true;
}

/** The call that the running code works for. Not passed by hand: nobody between the edge and the backend has a use for it. */
export const currentCall = new AsyncLocalStorage<Call>();

/** The call as it came that this one is, or is a part of. */
export const wholeOf = (call: Call | undefined): Call | undefined => call?.partOf ?? call;

/** Does the work as a part of the same call, with a deadline of its own; what it costs goes to `charge`. */
export const withDeadline = <T>(deadlineMs: number, work: () => T, charge?: Charge): T => {
  const whole = currentCall.getStore();
  // Its caller gives up no later than that, and nothing is charged to him: it is the call itself.
  if (whole?.deadlineMs === deadlineMs && charge === undefined) return work();
  const part = whole && { ...whole, partOf: wholeOf(whole) };
  const call = { traceparent: undefined, ...part, deadlineMs };
  return currentCall.run(charge === undefined ? call : { ...call, charge }, work);
};

/** Does the work on nobody's behalf, though perhaps within a call: with that deadline, and in no trace. */
export const withoutCaller = <T>(deadlineMs: number, work: () => T): T => {
  const holder = currentCall.getStore()?.holder;
  return currentCall.run({ deadlineMs, traceparent: undefined, holder, isUnasked: true }, work);
};
