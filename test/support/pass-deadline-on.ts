import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { carryDeadline } from "../../server/rpc/call-context.js";

/** What the server's own interceptor does besides, for a server that has none of its limits. */
export const passDeadlineOn: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, pass) => {
          carryDeadline(call, metadata);
          pass(metadata);
        },
      }),
  });
