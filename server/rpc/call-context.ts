import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import type { ServerMiddleware } from "nice-grpc";
import { currentCall } from "../core/call.js";
import type { Clock } from "../core/clock.js";

/** Set here and nowhere else: what a client sends under this name is overwritten. */
const LEFT_MS = "x-sentiment-deadline-ms";
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** nice-grpc does not tell handlers the client's deadline; grpc-js knows it, and metadata carries it across. */
export const passDeadlineOn: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, pass) => {
          const deadline = Number(call.getDeadline());
          metadata.set(LEFT_MS, String(deadline - Date.now()));
          pass(metadata);
        },
      }),
  });

/** Runs each call with its deadline and its trace as `currentCall`. */
export function callContext(clock: Clock): ServerMiddleware {
  return async function* inContext(call, context) {
    const leftMs = Number(context.metadata.get(LEFT_MS) ?? Number.POSITIVE_INFINITY);
    const traceparent = context.metadata.get("traceparent");
    const store = {
      deadlineMs: clock.now() + leftMs,
      traceparent: traceparent && TRACEPARENT.test(traceparent) ? traceparent : undefined,
    };
    const steps = call.next(call.request, context);
    // A generator's body runs in the context of whoever takes its next step.
    const next = () => currentCall.run(store, () => steps.next());
    let step = await next();
    try {
      while (!step.done) {
        yield step.value;
        step = await next();
      }
      return step.value;
    } finally {
      // Undefined stands for "no further response" of a stream; a unary call has none left either.
      if (!step.done) await currentCall.run(store, () => steps.return(undefined as never));
    }
  };
}
