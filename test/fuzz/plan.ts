import type { OutgoingHttpHeaders } from "node:http2";

/** A call over HTTP/2 that is in order, whatever is in the call. */
export interface CallPlan {
  readonly over: "http2";
  readonly headers: OutgoingHttpHeaders;
  readonly chunks: readonly Uint8Array[];
  /** The client's side is left open. */
  readonly isHalfOpen?: boolean;
  /** Milliseconds until the client leaves, if it does; 0: at once. */
  readonly leavesAfterMs?: number | undefined;
  /** gRPC has no status for who sends that: HTTP/2 itself may end it. */
  readonly isBroken?: true | undefined;
}

/** A call by grpc-js, as a program makes it. */
export interface ClientPlan {
  readonly over: "grpc-js";
  readonly path: string;
  readonly message: Uint8Array;
  readonly deadlineMs?: number;
  readonly leavesAfterMs?: number;
}

/** Bytes to the port. */
export interface RawPlan {
  readonly over: "tcp";
  readonly writes: readonly Uint8Array[];
  /** Reads nothing before it is done writing. */
  readonly isDeaf?: boolean;
  /** Goes without a word more (TCP reset) in place of closing its side. */
  readonly isRude?: boolean;
}

export type Plan = CallPlan | ClientPlan | RawPlan;

/** What came of a plan. */
export interface Outcome {
  /** The name of a gRPC status, or another end. */
  readonly said: string;
  /** Why it must not be; undefined: it may. */
  readonly fault?: string | undefined;
}

/** The keys of those who call: one who may do all, and one who may only analyze. */
export interface Keys {
  readonly admin: string;
  readonly analyze: string;
}
