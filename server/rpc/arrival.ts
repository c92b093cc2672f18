import { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import type { Metadata } from "nice-grpc-common";
import { type Decision, refused, type Shown } from "./entrance.js";
import { keyUnknown } from "./keys/keys.js";

/** What is known of a call before its handler begins. */
export interface Arrival {
  /** When its client gives up, on the server's clock in milliseconds; Infinity where it does not say. */
  readonly deadlineMs: number;
  readonly decision: Decision;
  /** What its client has sent with it. */
  readonly metadata: Shown;
  /** Ends it, of a stream of requests: its client would not notice otherwise. */
  readonly cut: () => void;
}

/** Of a call that has come past all interceptors: nobody has looked who is behind it. */
const UNSEEN: Arrival = {
  deadlineMs: Number.POSITIVE_INFINITY,
  decision: refused(keyUnknown()),
  metadata: { get: () => undefined },
  cut: () => {},
};

const NAME = "arrival-bin";
const ARRIVAL = Symbol("arrival");
type Carrier = Uint8Array & { [ARRIVAL]?: Arrival };

/**
 * The arrival as metadata, for the handler: nice-grpc hands on nothing else of what interceptors know, and binary values as the very objects that they are. What the
 * client has sent is in the arrival, and stays there: nice-grpc would copy all of it. Nobody but us can set the symbol.
 */
export function carried(arrival: Arrival): GrpcMetadata {
  const carrier = Buffer.alloc(0);
  (carrier as Carrier)[ARRIVAL] = arrival;
  const metadata = new GrpcMetadata();
  metadata.set(NAME, carrier);
  return metadata;
}

/** Of the call whose handler has that metadata. */
export const arrivalIn = (metadata: Metadata): Arrival =>
  (metadata.get(NAME) as Carrier | undefined)?.[ARRIVAL] ?? UNSEEN;
