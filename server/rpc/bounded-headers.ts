import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** Names and values of a call's metadata: what gRPC's core takes. */
export const METADATA_BYTES = 16 * 1024;

/** What gRPC, and the services here, read. */
const READ: ReadonlySet<string> = new Set([
  "authorization",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-timeout",
  "host",
  "te",
  "traceparent",
  "tracestate",
  "x-api-key",
]);
const ALWAYS: ReadonlySet<string> = new Set(["content-type", "te"]);

const tooLarge = new WeakSet<ServerHttp2Stream>();

/** Whether the call's metadata was over METADATA_BYTES. */
export const hasTooLargeHeaders = (stream: ServerHttp2Stream): boolean => tooLarge.has(stream);

/**
 * Before grpc-js has read them (`rawHeaders`: as they came, names and values in turn): takes out what nobody reads, and where all together are too large nearly all. HTTP/2's compression makes 4 KB a byte on the wire, for each of 128 headers of each call, and grpc-js
 * makes a Buffer of every piece between commas in names with `-bin` at their end: half a million of a call of a few hundred bytes.
 */
export function boundHeaders(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): void {
  let bytes = 0;
  for (let place = 0; place < rawHeaders.length; place += 2) {
    const [name = "", value = ""] = [rawHeaders[place], rawHeaders[place + 1]];
    if (name.startsWith(":")) continue;
    bytes += name.length + value.length;
    if (!READ.has(name)) delete headers[name];
  }
  if (bytes <= METADATA_BYTES) return;
  tooLarge.add(stream);
  for (const name in headers) if (!(name.startsWith(":") || ALWAYS.has(name))) delete headers[name];
}
