import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import type { Metadata } from "nice-grpc-common";
import type { Call } from "../core/call.js";
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

/** What a call brings along, from its metadata. */
export function callOf(metadata: Metadata, clock: Clock): Call {
  const leftMs = Number(metadata.get(LEFT_MS) ?? Number.POSITIVE_INFINITY);
  const traceparent = metadata.get("traceparent");
  return {
    deadlineMs: clock.now() + leftMs,
    traceparent: traceparent && TRACEPARENT.test(traceparent) ? traceparent : undefined,
  };
}
