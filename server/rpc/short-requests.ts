import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";

/** Of a request that holds no more than names. */
const MOST_BYTES = 1024;

/** What grpc-js's own call has, and does not tell of. */
interface Receiving {
  maxReceiveMessageSize?: number;
  readonly decoder?: { maxReadMessageLength?: number };
}

/**
 * Requests of the methods with these paths may have no more than 1 KB, where those of all others may be as large as a full batch: they need no key, and a watch keeps
 * its request for as long as it is open, so 4 KB of gzip on each of many streams would take 4 MB each. Must come before interceptors that wrap the call.
 */
export const shortRequests =
  (paths: ReadonlySet<string>): ServerInterceptor =>
  ({ path }, call) => {
    if (paths.has(path)) {
      const receiving = call as Receiving;
      receiving.maxReceiveMessageSize = MOST_BYTES;
      // Of what has a length that is told beforehand nothing is kept.
      if (receiving.decoder) receiving.decoder.maxReadMessageLength = MOST_BYTES;
    }
    // The type asks for a wrapper, where none is needed.
    return call as ServerInterceptingCall;
  };
