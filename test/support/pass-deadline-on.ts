import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";

/** Set by `passDeadlineOn`: how many milliseconds the client still waits. */
export const LEFT_MS = "x-test-left-ms";

/** Tells handlers when their clients give up, which nice-grpc does not. */
export const passDeadlineOn: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, pass) => {
          metadata.set(LEFT_MS, String(Math.floor(Number(call.getDeadline()) - Date.now())));
          pass(metadata);
        },
      }),
  });
