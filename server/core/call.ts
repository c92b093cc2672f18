import { AsyncLocalStorage } from "node:async_hooks";
import type { Span } from "./trace.js";

/** What a call brings along for whoever works for it further down. */
export interface Call {
  /** When its caller gives up, on the server's clock in milliseconds. */
  readonly deadlineMs: number;
  /** W3C trace context that came with it; passed on as it is where the call is not traced here. */
  readonly traceparent: string | undefined;
  /** Of the call itself; undefined where it is not traced. */
  readonly span?: Span | undefined;
  /** Whose key it came with; undefined where there are no keys. */
  readonly holder?: string | undefined;
  /** Nobody asked for the answer: it is to be in the caches for later calls, and is not counted among what they look for there. */
  readonly warms?: true;
}

/** The call that the running code works for. Not passed by hand: nobody between the edge and the backend has a use for it. */
export const currentCall = new AsyncLocalStorage<Call>();

/** Does the work for the same call, but with that deadline. */
export const withDeadline = <T>(deadlineMs: number, work: () => T): T =>
  currentCall.run({ traceparent: undefined, ...currentCall.getStore(), deadlineMs }, work);

/** Does the work for the same call, or for none, but for the caches alone. */
export const withWarming = <T>(work: () => T): T => {
  const none = { deadlineMs: Number.POSITIVE_INFINITY, traceparent: undefined };
  return currentCall.run({ ...none, ...currentCall.getStore(), warms: true }, work);
};
