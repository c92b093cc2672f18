import { AsyncLocalStorage } from "node:async_hooks";

/** What a call brings along for whoever works for it further down. */
export interface Call {
  /** When its caller gives up, on the server's clock in milliseconds. */
  readonly deadlineMs: number;
  /** W3C trace context that came with it; passed on as it is. */
  readonly traceparent: string | undefined;
}

/** The call that the running code works for. Not passed by hand: nobody between the edge and the backend has a use for it. */
export const currentCall = new AsyncLocalStorage<Call>();

/** Does the work for the same call, but with that deadline. */
export const withDeadline = <T>(deadlineMs: number, work: () => T): T =>
  currentCall.run({ deadlineMs, traceparent: currentCall.getStore()?.traceparent }, work);
