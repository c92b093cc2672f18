import { AsyncLocalStorage } from "node:async_hooks";
import { type Decision, refused } from "./entrance.js";
import { keyUnknown } from "./keys/keys.js";

/** What is known of a call before its handler begins. */
export interface Arrival {
  /** When its client gives up, on the server's clock in milliseconds; Infinity where it does not say. */
  readonly deadlineMs: number;
  readonly decision: Decision;
  /** Ends it, of a stream of requests: its client would not notice otherwise. */
  readonly cut: () => void;
}

/** Of a call that has come past all interceptors: nobody has looked who is behind it. */
const unseen = (): Arrival => ({
  deadlineMs: Number.POSITIVE_INFINITY,
  decision: refused(keyUnknown()),
  cut: () => {},
});

const current = new AsyncLocalStorage<Arrival>();

/** Has the handler of a call begin: nice-grpc tells it neither the deadline nor anything else that interceptors know. */
export const withArrival = <T>(arrival: Arrival, handle: () => T): T =>
  current.run(arrival, handle);

/** Of the call whose handler begins now. */
export const currentArrival = (): Arrival => current.getStore() ?? unseen();
