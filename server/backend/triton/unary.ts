import { type Client, Metadata, type ServiceError } from "@grpc/grpc-js";

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

/**
 * One call, by grpc-js itself: nice-grpc's client knows no deadline, and a deadline that does not reach Triton leaves it working for
 * nobody. Rejects with grpc-js's ServiceError (`code`, `details`), or with the signal's reason.
 */
export function unary<Request, Response>(
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
