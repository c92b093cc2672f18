import { setImmediate as nextTurn } from "node:timers/promises";
import { type Client, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { messageOf } from "../../core/errors.js";

/** A method of a generated definition. */
interface Method<Request, Response> {
  readonly name: string;
  readonly requestType: { encode(request: Request): { finish(): Uint8Array } };
  readonly responseType: { decode(bytes: Uint8Array): Response };
}

export interface UnaryOptions {
  readonly signal: AbortSignal;
  /** Milliseconds from now; Infinity for none. */
  readonly limitMs: number;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** What grpc-js says of a call that came while the server closed the connection, for its age or its own end, and that it has not looked at. */
const REFUSED = "Stream refused by server";
const MOST_TRIES = 5;

/**
 * One call, by grpc-js itself: nice-grpc's client knows no deadline, and a deadline that does not reach Triton leaves it working for
 * nobody. Rejects with grpc-js's ServiceError (`code`, `details`), or with the signal's reason.
 * One that was refused unseen is made anew, over another connection: it says nothing of the server.
 */
export async function unary<Request, Response>(
  ...call: Parameters<typeof attempt<Request, Response>>
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(...call);
    } catch (error) {
      if (tries === MOST_TRIES || !isRefused(error)) throw error;
      // By then the connection is known to be gone.
      await nextTurn();
    }
  }
}

/** A gRPC status; undefined where the error is none of grpc-js. */
export const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && "code" in error ? Number(error.code) : undefined;

/** Of gRPC's errors the code, whose messages tell of times and addresses. */
export const kindOf = (error: unknown): string => String(codeOf(error) ?? messageOf(error));

/** Of a server that would answer nothing else either. */
export const isSilence = (error: unknown): boolean =>
  codeOf(error) === status.UNAVAILABLE || codeOf(error) === status.DEADLINE_EXCEEDED;

const isRefused = (error: unknown): boolean =>
  codeOf(error) === status.UNAVAILABLE && messageOf(error).includes(REFUSED);

function attempt<Request, Response>(
  client: Client,
  service: string,
  method: Method<Request, Response>,
  request: Request,
  { signal, limitMs, traceparent, tracestate }: UnaryOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const metadata = new Metadata();
    if (traceparent !== undefined) metadata.set("traceparent", traceparent);
    if (tracestate !== undefined) metadata.set("tracestate", tracestate);
    const call = client.makeUnaryRequest<Request, Response>(
      `/${service}/${method.name}`,
      (message) => asBuffer(method.requestType.encode(message).finish()),
      (bytes) => method.responseType.decode(bytes),
      request,
      metadata,
      limitMs === Number.POSITIVE_INFINITY ? {} : { deadline: Date.now() + limitMs },
      (error: ServiceError | null, response?: Response) => {
        signal.removeEventListener("abort", leave);
        if (response !== undefined) resolve(response);
        else reject(signal.aborted ? signal.reason : error);
      },
    );
    const leave = () => call.cancel();
    signal.addEventListener("abort", leave, { once: true });
  });
}

const asBuffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
