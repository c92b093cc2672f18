import { isAbortError } from "abort-controller-x";
import { type CallContext, ServerError, type ServerMiddlewareCall } from "nice-grpc-common";
import { Status } from "../gen/google/rpc/status.js";
import { type ReportBug, statusOf } from "./status.js";

/** Where google.rpc.Status travels, by gRPC's convention. */
const DETAILS = "grpc-status-details-bin";

/**
 * Turns what a handler throws into a gRPC status with details. Middleware that counts or traces must be added before it
 * (outside it), to see the status that the client sees; middleware that throws ServiceErrors after it.
 */
export const errorMiddleware = (reportBug: ReportBug) =>
  async function* toStatus<Req, Res>(
    call: ServerMiddlewareCall<Req, Res>,
    context: CallContext,
  ): AsyncGenerator<Res, Res | void, undefined> {
    try {
      return yield* call.next(call.request, context);
    } catch (error) {
      // The client has left: there is nobody to read a status. A ServerError is a library's: health's NOT_FOUND.
      if (error instanceof ServerError || (isAbortError(error) && context.signal.aborted))
        throw error;
      const status = statusOf(error, reportBug);
      context.trailer.set(DETAILS, Status.encode(status).finish());
      throw new ServerError(status.code, status.message);
    }
  };
